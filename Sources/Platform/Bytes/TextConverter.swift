private import CLinux

/// The C library's iconv, from one encoding to UTF-8. Each text begins in the initial state:
/// nothing is left of the one before. One thread at a time.
@safe
final class TextConverter {
    private let converter: UnsafeMutableRawPointer

    /// Why a conversion ended.
    enum Stop: Int32 {
        case end = 0
        /// No more room.
        case full = 1
        /// The next byte begins no character.
        case invalid = 2
        /// The last bytes are not all of a character.
        case incomplete = 3
    }

    /// Nil where iconv has no such encoding.
    init?(_ name: String) {
        guard let converter = unsafe clinux_iconv_open(name) else { return nil }
        unsafe self.converter = converter
    }

    deinit { unsafe clinux_iconv_close(converter) }

    /// Appends at most `room` bytes, and tells how many of `bytes` they stand for.
    func convert(
        _ bytes: Span<UInt8>, room: Int, into text: inout [UInt8]
    ) -> (read: Int, stop: Stop) {
        var read = 0
        var code: Int32 = 0
        let made = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe code = clinux_iconv(
                    converter, source.baseAddress, source.count, target.baseAddress, room, &read,
                    &count)
            }
        }
        text.append(contentsOf: made)
        return (read, Stop(rawValue: code) ?? .invalid)
    }
}
