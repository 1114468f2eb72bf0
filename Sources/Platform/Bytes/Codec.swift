private import CBZip2
private import CLZMA
private import CZlib
private import CZstd

/// One of the libraries that decompress, as `Decompressor` uses them: one member after another (a
/// gzip member, a stream of xz or bzip2, a frame of zstd). One thread at a time.
protocol Codec: AnyObject {
    /// Takes bytes of `input` and makes bytes of the content of them.
    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> CodecStep

    /// Bytes that it has, about.
    var memory: Int { get }

    /// A new member begins.
    func reset() throws(SystemError)
}

/// The outcome of a step.
struct CodecStep {
    let consumed: Int
    let produced: Int
    let state: State

    enum State {
        case going
        /// The member is complete, and its checksum right.
        case ended
        case damaged
        /// It was made with a window that is larger than what is allowed: what it takes, where that
        /// is known.
        case tooLarge(Int?)
    }
}

extension Compression {
    /// Memory that reading one file may take: with 32 MiB of `limits.in_flight` and about 20 of the
    /// rest, where there are few files, that is below 128 MiB. Many files take more
    /// (`docs/benchmarks.md`). `xz -9` wants 65 MiB, `zstd --ultra -21` 64. What wants more (`zstd
    /// --ultra -22` and `--long`: 128) is refused.
    static let mostMemory = 68 << 20
    /// The largest window of zstd within that, as a power of two.
    static let mostWindow = 26

    func codec() throws(SystemError) -> any Codec {
        switch self {
        case .gzip: try GzipCodec()
        case .xz: try XZCodec()
        case .zstd: try ZstdCodec()
        case .bzip2: try BZip2Codec()
        case .lz4, .compress, .lzma, .lzip, .lzop, .snappy, .zip, .sevenZip, .rar:
            throw SystemError("decompress", code: .notSupported)
        }
    }
}

@safe private final class GzipCodec: Codec {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(SystemError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16: a gzip header.
        let result = unsafe inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw SystemError("inflateInit2", code: .outOfMemory)
        }
    }

    deinit {
        unsafe _ = inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func reset() { unsafe _ = inflateReset(stream) }

    let memory = 44 << 10

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> CodecStep {
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let result = unsafe inflate(stream, Z_NO_FLUSH)
        let state: CodecStep.State =
            switch result {
            case Z_OK, Z_BUF_ERROR: .going
            case Z_STREAM_END: .ended
            default: .damaged
            }
        return unsafe CodecStep(
            consumed: input.count - Int(stream.pointee.avail_in),
            produced: output.count - Int(stream.pointee.avail_out), state: state)
    }
}

@safe private final class XZCodec: Codec {
    private let stream: UnsafeMutablePointer<lzma_stream>

    init() throws(SystemError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: lzma_stream())
        do {
            try reset()
        } catch {
            unsafe lzma_end(stream)
            unsafe stream.deallocate()
            throw error
        }
    }

    deinit {
        unsafe lzma_end(stream)
        unsafe stream.deallocate()
    }

    var memory: Int { unsafe Int(clamping: lzma_memusage(stream)) }

    func reset() throws(SystemError) {
        let result = unsafe lzma_stream_decoder(stream, UInt64(Compression.mostMemory), 0)
        guard result == LZMA_OK else {
            throw SystemError("lzma_stream_decoder", code: .outOfMemory)
        }
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> CodecStep {
        unsafe stream.pointee.next_in = input.baseAddress
        unsafe stream.pointee.avail_in = input.count
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = output.count
        let state: CodecStep.State =
            switch unsafe lzma_code(stream, LZMA_RUN) {
            case LZMA_OK, LZMA_BUF_ERROR: .going
            case LZMA_STREAM_END: .ended
            case LZMA_MEMLIMIT_ERROR: unsafe .tooLarge(Int(clamping: lzma_memusage(stream)))
            case LZMA_MEM_ERROR: .tooLarge(nil)
            default: .damaged
            }
        return unsafe CodecStep(
            consumed: input.count - stream.pointee.avail_in,
            produced: output.count - stream.pointee.avail_out, state: state)
    }
}

@safe private final class ZstdCodec: Codec {
    private let stream: OpaquePointer
    /// The first bytes of the frame.
    private var header: [UInt8] = []

    init() throws(SystemError) {
        guard let stream = unsafe ZSTD_createDCtx() else {
            throw SystemError("ZSTD_createDCtx", code: .outOfMemory)
        }
        unsafe self.stream = stream
        unsafe _ = ZSTD_DCtx_setParameter(
            stream, ZSTD_d_windowLogMax, Int32(Compression.mostWindow))
    }

    deinit { unsafe _ = ZSTD_freeDCtx(stream) }

    var memory: Int { unsafe ZSTD_sizeof_DCtx(stream) }

    func reset() {
        unsafe _ = ZSTD_DCtx_reset(stream, ZSTD_reset_session_only)
        header = []
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> CodecStep {
        unsafe header += input.prefix(ZstdFrame.longestHeader - header.count)
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = unsafe ZSTD_decompressStream(stream, &target, &source)
        var state = result == 0 ? CodecStep.State.ended : .going
        if ZSTD_isError(result) != 0 {
            state =
                switch ZSTD_getErrorCode(result) {
                case ZSTD_error_frameParameter_windowTooLarge:
                    .tooLarge(ZstdFrame.window(of: header))
                case ZSTD_error_memory_allocation: .tooLarge(nil)
                default: .damaged
                }
        }
        return unsafe CodecStep(consumed: source.pos, produced: target.pos, state: state)
    }
}

@safe private final class BZip2Codec: Codec {
    private let stream: UnsafeMutablePointer<bz_stream>

    init() throws(SystemError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: bz_stream())
        guard unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            unsafe stream.deallocate()
            throw SystemError("BZ2_bzDecompressInit", code: .outOfMemory)
        }
    }

    deinit {
        unsafe _ = BZ2_bzDecompressEnd(stream)
        unsafe stream.deallocate()
    }

    let memory = 4 << 20

    func reset() throws(SystemError) {
        unsafe _ = BZ2_bzDecompressEnd(stream)
        unsafe stream.pointee = bz_stream()
        guard unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            throw SystemError("BZ2_bzDecompressInit", code: .outOfMemory)
        }
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> CodecStep {
        unsafe stream.pointee.next_in = UnsafeMutableRawPointer(
            mutating: UnsafeRawPointer(input.baseAddress))?.assumingMemoryBound(to: CChar.self)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = UnsafeMutableRawPointer(output.baseAddress)?
            .assumingMemoryBound(to: CChar.self)
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let state: CodecStep.State =
            switch unsafe BZ2_bzDecompress(stream) {
            case BZ_OK: .going
            case BZ_STREAM_END: .ended
            case BZ_MEM_ERROR: .tooLarge(nil)
            default: .damaged
            }
        return unsafe CodecStep(
            consumed: input.count - Int(stream.pointee.avail_in),
            produced: output.count - Int(stream.pointee.avail_out), state: state)
    }
}

/// The header of a zstd frame, which stands before its first block (RFC 8878, 3.1.1.1).
enum ZstdFrame {
    static let longestHeader = 18

    /// Bytes of the window that it takes to read it; nil where that is not to be seen.
    static func window(of header: [UInt8]) -> Int? {
        guard header.count > 5 else { return nil }
        let descriptor = header[4]
        // Where all of it is one segment, that is as large as the content.
        if descriptor & 0x20 != 0 {
            let start = 5 + [0, 1, 2, 4][Int(descriptor & 3)]
            let count = [1, 2, 4, 8][Int(descriptor >> 6)]
            guard header.count >= start + count else { return nil }
            let size = header[start..<(start + count)].reversed().reduce(UInt64(0)) {
                $0 << 8 | UInt64($1)
            }
            return OutsideNumber.count(size)
        }
        let base = 1 << (10 + Int(header[5] >> 3))
        return base + base / 8 * Int(header[5] & 7)
    }
}
