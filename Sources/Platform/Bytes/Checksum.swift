private import CZlib

/// CRC-32 as zlib, gzip and PNG compute it: it finds every single flipped bit and every burst of up
/// to 32 bits.
package enum Checksum {
    /// CRC-32 of `bytes`; 0 for none.
    package static func crc32(_ bytes: Span<UInt8>) -> UInt32 {
        let sum = unsafe bytes.withUnsafeBufferPointer { source in
            // zlib takes a null pointer for "give me the initial value", which is what no bytes
            // have.
            unsafe crc32_z(0, source.baseAddress, source.count)
        }
        return UInt32(truncatingIfNeeded: sum)
    }
}
