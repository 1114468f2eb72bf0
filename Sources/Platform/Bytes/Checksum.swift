private import CZlib

/// CRC-32 as zlib, gzip and PNG compute it: it finds every single flipped bit and every burst of up
/// to 32 bits.
package enum Checksum {
    /// CRC-32 of `bytes`; 0 for none.
    package static func crc32(_ bytes: Span<UInt8>) -> UInt32 { crc32(bytes, after: 0) }

    /// CRC-32 of what has the CRC-32 `sum` and `bytes` behind it.
    package static func crc32(_ bytes: Span<UInt8>, after sum: UInt32) -> UInt32 {
        guard !bytes.isEmpty else { return sum }
        let sum = unsafe bytes.withUnsafeBufferPointer { source in
            unsafe crc32_z(UInt(sum), source.baseAddress, source.count)
        }
        return UInt32(truncatingIfNeeded: sum)
    }
}
