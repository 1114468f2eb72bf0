/// `partitioner: node`: the few partitions of each topic that a node writes to.
///
/// A topic of 30 partitions has 30 requests for each sweep of a node, each with a handful of lines;
/// the same lines in three requests cost a tenth, here and at the brokers, and compress better. The
/// windows of many nodes begin anywhere, so all partitions get as much.
///
/// A key keeps its partition as long as the number of partitions stays what it is, whichever broker
/// leads it, or none: the records of a stream wait for their partition and never go around it, as
/// order demands.
///
/// librdkafka calls it on any of its threads, once for each record; it is one number, which is
/// passed in the place of a pointer, so nothing has to outlive the client.
struct NodeWindow {
    /// Where it begins, before it is known how many partitions there are.
    private let first: UInt32
    private let width: UInt16

    init(node: String, topic: String, partitions: Int) {
        first = Self.mix(Self.hash(node), Self.hash(topic))
        width = UInt16(clamping: Swift.max(1, partitions))
    }

    /// In the place of a pointer, which is never followed.
    var opaque: UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(first) << 16 | UInt(width))
    }

    init(_ opaque: UnsafeMutableRawPointer?) {
        let bits = UInt(bitPattern: opaque)
        first = UInt32(truncatingIfNeeded: bits >> 16)
        width = UInt16(truncatingIfNeeded: bits)
    }

    /// The partition, from 0, of the topic when it has `partitions`, at least one.
    func partition(of key: Span<UInt8>, partitions: Int32) -> Int32 {
        let count = UInt32(clamping: Swift.max(1, partitions))
        let place = Self.hash(key) % Swift.min(UInt32(width), count)
        return Int32(truncatingIfNeeded: (first % count + place) % count)
    }

    /// Of a name, evenly over all names.
    static func hash(_ text: String) -> UInt32 { hash(Array(text.utf8).span) }

    /// FNV-1a, with its bits mixed: neighbours' names differ by a digit at their ends.
    private static func hash(_ bytes: Span<UInt8>) -> UInt32 { mix(FNV1a.hash(bytes), 0) }

    /// The finalizer of MurmurHash3.
    private static func mix(_ a: UInt32, _ b: UInt32) -> UInt32 {
        var hash = a ^ (b &* 0x9E37_79B9)
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return hash ^ hash >> 16
    }
}
