extension ByteSearch {
    /// A number for the bytes of `range`, the same for the same bytes. It looks at sixteen of them
    /// at the most, so that others may have it too: who finds it twice has to compare.
    package static func hash(of range: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        precondition(
            0 <= range.lowerBound && range.upperBound <= bytes.count, "a look beyond the bytes")
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            let count = range.count
            guard count > 0, let base = unsafe UnsafeRawPointer(buffer.baseAddress) else {
                return 0
            }
            let start = unsafe base + range.lowerBound
            let low: UInt64
            let high: UInt64
            switch count {
            case 8...:
                low = unsafe start.loadUnaligned(as: UInt64.self)
                high = unsafe start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            case 4...:
                low = UInt64(unsafe start.loadUnaligned(as: UInt32.self))
                high = UInt64(
                    unsafe start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            default:
                low = UInt64(unsafe start.load(as: UInt8.self))
                let middle = unsafe start.load(fromByteOffset: count / 2, as: UInt8.self)
                let last = unsafe start.load(fromByteOffset: count - 1, as: UInt8.self)
                high = UInt64(middle) << 8 | UInt64(last)
            }
            var hash = (low ^ UInt64(count) &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 32
            hash = (hash ^ high) &* 0x94D0_49BB_1331_11EB
            return hash ^ hash >> 29
        }
    }

    /// Whether the bytes of both ranges are the same.
    package static func isEqual(
        _ range: Range<Int>, of bytes: Span<UInt8>, _ other: [UInt8]
    ) -> Bool {
        guard range.count == other.count else { return false }
        for index in 0..<other.count where bytes[range.lowerBound + index] != other[index] {
            return false
        }
        return true
    }
}
