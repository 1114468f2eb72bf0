/// The hash FNV-1a of 32 bits, and `partitioner: filebeat`, which is made of it.
enum FNV1a {
    static func hash(_ bytes: Span<UInt8>) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for index in bytes.indices { hash = (hash ^ UInt32(bytes[index])) &* 16_777_619 }
        return hash
    }

    /// The partition, from 0, of a topic that has `partitions`, at least one: the hash without its
    /// sign, divided.
    static func partition(of key: Span<UInt8>, partitions: Int32) -> Int32 {
        Int32(hash(key) & 0x7FFF_FFFF) % max(1, partitions)
    }
}
