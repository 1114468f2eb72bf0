/// The content of a compressed file as if it were a plain one: bytes by their offset, read forward.
/// Members that follow each other are one content, as gunzip(1) has it. One thread at a time.
///
/// Nothing is believed that the file says of itself: how long its content is, is known when its end
/// was reached.
///
/// What one asks for is kept until one asks for what lies behind, so the same offset can be read
/// again. Memory: 64 KiB, what the largest read wants and as much again, and the library's: 44 KB
/// for gzip, 4 MB for bzip2, with xz and zstd the window that the file was made with. `release`
/// gives it back.
package final class Decompressor {
    /// Chosen by the file's first bytes, by whoever made this.
    package let compression: Compression
    private var codec: (any Codec)?
    private var input: [UInt8] = []
    private var inputStart = 0
    private var inputEnd = 0
    /// Where the next compressed bytes are read.
    private var inputOffset = 0
    private var produced: [UInt8] = []
    /// Offset in the content of `produced[0]`, and how many bytes of it there are.
    private var producedStart = 0
    private var producedCount = 0
    /// Behind a member, and before the next one if there is one.
    private var isBetween = false
    /// There was no room for all that the library has made of its input.
    private var hasMore = false
    /// This pass over the file has come to its end.
    private var isDone = false
    /// The furthest that any pass has come.
    private var furthest = 0
    /// Where the content ends, once that was reached.
    private var end: Int?

    /// Nobody writes to the file any more: where its bytes end, the content ends. Otherwise more is
    /// waited for.
    package var isWhole: Bool {
        didSet { if isWhole { goOn() } }
    }
    /// All compressed bytes that there were are read, and there may be more. Stays so when the
    /// memory is given back: to find out that there is nothing new takes no second pass.
    package var isWaiting: Bool { waitsBehind != nil }
    /// How many those were.
    private var waitsBehind: Int?
    /// This pass has come to where more is waited for.
    private var isPaused = false
    /// The fault of the compressed bytes, once it was met; the content ends there.
    package private(set) var fault: String?

    private static let chunk = 64 * 1024

    /// A reader of a file that is compressed so; the same file is handed to every call.
    package init(_ compression: Compression, isWhole: Bool = true) {
        self.compression = compression
        self.isWhole = isWhole
    }

    /// Every byte was produced, once at least.
    package var isAtEnd: Bool { end != nil }

    /// Bytes of the content: as many as were produced and, until its end was reached, one more;
    /// exact once `isAtEnd`. All that there are for now while `isWaiting`.
    package var size: Int { end ?? (isWaiting ? furthest : furthest + 1) }

    /// The file has so many compressed bytes now. False where that is less than were read of it.
    package func look(size: Int) -> Bool {
        let read = max(inputOffset, waitsBehind ?? 0)
        if size > read { goOn() }
        return size >= read
    }

    private func goOn() {
        waitsBehind = nil
        isPaused = false
    }

    /// Gives back what memory it has. What is read next is produced from the beginning.
    package func release() {
        codec = nil
        input = []
        produced = []
        rewind()
    }

    /// Bytes of its library's memory, as far as that is known by now; of the last pass, after
    /// `release`.
    package private(set) var windowSize = 0

    /// It has memory of its own.
    package var isActive: Bool { codec != nil }

    /// At most `count` bytes of the content from `offset`; fewer only where it ends, 0 at and
    /// beyond its end. Nil when it takes more than `budget` bytes, of both kinds, to get there: to
    /// be called again.
    package func read(
        into bytes: inout [UInt8], count: Int, at offset: Int, budget: Int,
        in file: borrowing Descriptor
    ) throws(SystemError) -> Int? {
        guard offset >= 0 else { return 0 }
        if offset < producedStart { rewind() }
        var spent = 0
        while !isDone, !isPaused, producedStart + producedCount < offset + count {
            if spent >= budget { return nil }
            drop(before: offset)
            spent += try produce(in: file)
        }
        drop(before: offset)
        let start = offset - producedStart
        guard start < producedCount else { return 0 }
        let found = min(count, producedCount - start)
        bytes.replaceSubrange(0..<found, with: produced[start..<(start + found)])
        return found
    }

    private func drop(before offset: Int) {
        let gone = min(producedCount, offset - producedStart)
        // Moving what is kept costs as much as it is: not for less than that.
        guard gone > 0, gone >= producedCount - gone else { return }
        produced.replaceSubrange(0..<(producedCount - gone), with: produced[gone..<producedCount])
        producedStart += gone
        producedCount -= gone
    }

    private func rewind() {
        inputStart = 0
        inputEnd = 0
        inputOffset = 0
        producedStart = 0
        producedCount = 0
        codec = nil
        isBetween = false
        hasMore = false
        isDone = false
        isPaused = false
    }

    /// Whether there is more input.
    private func hasInput(_ file: borrowing Descriptor) throws(SystemError) -> Bool {
        guard inputStart == inputEnd else { return true }
        if input.isEmpty { input = [UInt8](repeating: 0, count: Self.chunk) }
        inputStart = 0
        inputEnd = 0
        inputEnd = try file.read(into: &input, at: inputOffset)
        inputOffset += inputEnd
        return inputEnd > 0
    }

    /// A little more content, and whether that was all. Returns the bytes that were taken and made.
    private func produce(in file: borrowing Descriptor) throws(SystemError) -> Int {
        if isBetween { return try goOn(in: file) }
        if !hasMore, !(try hasInput(file)) {
            stop(isWhole ? "it ends in the middle" : nil)
            return 0
        }
        let codec: any Codec
        if let known = self.codec { codec = known } else { codec = try compression.codec() }
        self.codec = codec
        if producedCount + Self.chunk > produced.count {
            let more = max(produced.count, 2 * Self.chunk)
            produced.append(contentsOf: repeatElement(0, count: more))
        }
        let step = unsafe input.withUnsafeBufferPointer { source in
            unsafe produced.withUnsafeMutableBufferPointer { target in
                unsafe codec.step(
                    UnsafeBufferPointer(rebasing: source[inputStart..<inputEnd]),
                    UnsafeMutableBufferPointer(rebasing: target[producedCount...]))
            }
        }
        let hadInput = inputStart < inputEnd
        hasMore = step.produced == produced.count - producedCount
        inputStart += step.consumed
        producedCount += step.produced
        furthest = max(furthest, producedStart + producedCount)
        windowSize = max(windowSize, codec.memory)
        switch step.state {
        case .going:
            // It has input and room, and does nothing.
            if hadInput, step.consumed == 0, step.produced == 0 { stop(damage) }
        case .ended:
            isBetween = true
            hasMore = false
        case .damaged: stop(damage)
        case .tooLarge(let needed): stop(Self.tooLarge(needed))
        }
        return step.consumed + step.produced
    }

    private static func tooLarge(_ needed: Int?) -> String {
        guard let needed else { return "there is no memory to read it with" }
        return "reading it takes \((needed +| ((1 << 20) - 1)) >> 20) MiB of memory, "
            + "and one file may have \(Compression.mostMemory >> 20)"
    }

    private var damage: String {
        "its compressed bytes are damaged before byte \(inputOffset - (inputEnd - inputStart))"
    }

    /// Behind a member comes another one, or zeros, which pad it and mean nothing.
    private func goOn(in file: borrowing Descriptor) throws(SystemError) -> Int {
        guard try hasInput(file) else {
            stop(nil)
            return 0
        }
        let start = inputStart
        while inputStart < inputEnd, input[inputStart] == 0 { inputStart += 1 }
        guard inputStart < inputEnd else { return inputStart - start }
        if compression.firstBytes.contains(input[inputStart]) {
            try codec?.reset()
            isBetween = false
        } else {
            stop("what follows byte \(inputOffset - (inputEnd - inputStart)) is not compressed")
        }
        return inputStart - start + 1
    }

    /// There is no more to be had of it; for now, where more may be written.
    private func stop(_ fault: String?) {
        if let fault {
            self.fault = self.fault ?? fault
        } else if !isWhole {
            waitsBehind = inputOffset
            isPaused = true
            return
        }
        isDone = true
        end = producedStart + producedCount
        // What was produced last may be asked for again; the rest of its memory is of no more use.
        codec = nil
        input = []
    }
}
