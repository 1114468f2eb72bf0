import Patterns
import Platform

/// What `shipper rotate` asks for.
struct RotationWish: Hashable, Sendable {
    /// Whatever size, schedule and age say.
    var isForced = false
    /// Nothing is done.
    var isDry = false
    /// Of the logs whose path matches this glob alone.
    var pattern: String?

    /// What came of it: lines for people, and whether something went wrong.
    struct Answer: Hashable, Sendable {
        var lines: [String] = []
        var isFault = false
    }
}

/// How `shipper rotate` asks a running agent, and hears what came of it: by a file in the data
/// directory, which nobody but the agent's user can enter.
///
///     rotate 1 FORCED DRY PATTERN     by the command; yes or no, and PATTERN may be empty
///     LINE …                          by the agent: `= ` and a line for people
///     . CODE                          the end, and the exit code
///
/// The command has the file locked (flock) from before it has its name for as long as it waits. So
/// a request that nobody waits for any more is known by that its lock can be had, and is removed
/// unread; and what a killed agent has answered in part is ended by the next one, and not begun
/// anew.
enum RotationRequest {
    static let name = Array("rotate.request".utf8)
    private static let magic = "rotate 1"
    /// Bytes of a request; a path has 4,096.
    private static let longest = 8 << 10

    static func text(_ wish: RotationWish) -> String {
        "\(magic) \(wish.isForced ? "yes" : "no") \(wish.isDry ? "yes" : "no") \(wish.pattern ?? "")\n"
    }

    /// Nil where it is none of this version.
    static func parse(_ line: String) -> RotationWish? {
        let words = line.split(
            separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, "\(words[0]) \(words[1])" == magic,
            let isForced = truth(words[2]), let isDry = truth(words[3])
        else { return nil }
        return RotationWish(
            isForced: isForced, isDry: isDry, pattern: words[4].isEmpty ? nil : String(words[4]))
    }

    private static func truth(_ word: Substring) -> Bool? {
        switch word {
        case "yes": true
        case "no": false
        default: nil
        }
    }

    // MARK: The agent

    /// Answers the request that waits in a data directory, if there is one.
    static func serve(
        in directory: borrowing Descriptor, _ answer: (RotationWish) -> RotationWish.Answer
    ) throws(SystemError) {
        guard let file = try open(in: directory) else { return }
        try serve(file, in: directory, answer)
    }

    /// Nil where there is none, or none that is a file.
    private static func open(
        in directory: borrowing Descriptor
    ) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return try directory.appendable(named: String(decoding: name, as: UTF8.self))
        } catch {
            if error.code == .notFound { return nil }
            // A link, a directory and a socket are no request; else somebody may wait for this one.
            guard [.tooManyLinks, .isDirectory, .noDevice].contains(error.code) else { throw error }
        }
        try directory.remove(name)
        return nil
    }

    /// One descriptor for all of it: by the end another command may have its file there.
    private static func serve(
        _ file: borrowing Descriptor, in directory: borrowing Descriptor,
        _ answer: (RotationWish) -> RotationWish.Answer
    ) throws(SystemError) {
        let status = try file.status()
        guard status.isRegular, status.links == 1 else { return try directory.remove(name) }
        if try file.lock() {
            // It is closed with the lock.
            if try isNamed(file, in: directory) { try directory.remove(name) }
            return
        }
        let bytes = try file.read(count: longest, at: 0)
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return }
        if status.size > end + 1 {
            // One that is answered goes as soon as the command has read it.
            let last = try file.read(count: 5, at: max(0, status.size - 5))
            if ["\n. 0\n", "\n. 1\n"].contains(String(decoding: last, as: UTF8.self)) { return }
            return try append("= the agent ended in the middle of it\n. 1\n", to: file)
        }
        guard let wish = parse(String(decoding: bytes[..<end], as: UTF8.self)) else {
            return try append("= the agent is of another version\n. 1\n", to: file)
        }
        // From here on it counts as begun.
        try append(
            "= \(wish.isDry ? "Nothing is done:" : "The agent has this to say:")\n", to: file)
        let result = answer(wish)
        var text = ""
        for line in result.lines { text += "= \(line)\n" }
        try append(text + ". \(result.isFault ? 1 : 0)\n", to: file)
    }

    private static func append(
        _ text: String, to file: borrowing Descriptor
    ) throws(SystemError) {
        try file.write(Array(text.utf8))
    }

    // MARK: The command

    /// How asking an agent ended.
    enum Outcome: Hashable, Sendable {
        case answered(code: Int32)
        /// Another command asks at this moment.
        case isBusy
        /// The agent has ended, or does not answer.
        case isSilent
    }

    /// Asks, and gives each line to `say` as it comes. `isThere` says whether the agent runs, which
    /// is waited for, for as long as `patience` nanoseconds, until it has begun.
    static func ask(
        _ wish: RotationWish, in directory: borrowing Descriptor, patience: Int64,
        isThere: () throws(SystemError) -> Bool, say: (String) throws(SystemError) -> Void
    ) throws(SystemError) -> Outcome {
        guard let file = try place(wish, in: directory) else { return .isBusy }
        var place = text(wish).utf8.count
        var pending: [UInt8] = []
        var until = Clock.monotonicNanoseconds() +| patience
        var outcome: Outcome?
        while outcome == nil {
            let more = try file.read(count: longest, at: place)
            place += more.count
            pending += more
            if !more.isEmpty { until = .max }
            while outcome == nil, let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                if line.hasPrefix(". ") {
                    outcome = .answered(code: Int32(line.dropFirst(2)) ?? 1)
                } else {
                    try say(String(line.dropFirst(2)))
                }
            }
            guard outcome == nil, more.isEmpty else { continue }
            if Clock.monotonicNanoseconds() > until { outcome = .isSilent }
            if try !isThere() { outcome = .isSilent }
            Clock.sleep(nanoseconds: 20_000_000)
        }
        if try isNamed(file, in: directory) { try directory.remove(name) }
        return outcome ?? .isSilent
    }

    /// Whether the name leads to that file.
    private static func isNamed(
        _ file: borrowing Descriptor, in directory: borrowing Descriptor
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try directory.status(of: name).inode == file.status().inode
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    /// Removes a request that nobody waits for any more; one that was opened may have another
    /// command's in its place by the time it is locked.
    private static func discardStale(in directory: borrowing Descriptor) throws(SystemError) {
        let opened: Descriptor.Opened
        do throws(SystemError) {
            opened = try directory.openFile(name)
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        // It is closed with the lock.
        guard case .file(let other, _) = consume opened, try other.lock() else { return }
        if try isNamed(other, in: directory) { try directory.remove(name) }
    }

    /// Of whoever has run an agent there, by its lock file; else of the directory.
    static func owner(of directory: borrowing Descriptor) throws(SystemError) -> FileStatus {
        do throws(SystemError) {
            return try directory.status(of: Array("lock".utf8))
        } catch {
            guard error.code == .notFound else { throw error }
            return try directory.status()
        }
    }

    /// Nil where another command waits.
    private static func place(
        _ wish: RotationWish, in directory: borrowing Descriptor
    ) throws(SystemError) -> Descriptor? {
        let beside = name + Array(".\(ProcessContext.number)".utf8)
        do throws(SystemError) {
            try directory.remove(beside)
        } catch {
            guard error.code == .notFound else { throw error }
        }
        let file = try directory.makeFile(beside)
        let owner = try owner(of: directory)
        if ProcessContext.isRoot, owner.owner != 0 { try file.give(to: owner) }
        _ = try file.lock()
        try file.write(Array(text(wish).utf8))
        for _ in 0..<3 {
            do throws(SystemError) {
                try directory.renameToNew(beside, name)
                return file
            } catch {
                guard error.code == .exists else { throw error }
            }
            // One of a command that was killed.
            try discardStale(in: directory)
        }
        try directory.remove(beside)
        return nil
    }
}
