import Platform
import Synchronization
import TestSupport
import Testing

@Suite("Directory listings")
struct DirectoryListingTests {
    /// A thread that rotates a log directory as s6-log does, without removing anything.
    private final class Rotator: Sendable {
        static let rotations = 1_200

        /// Numbers of the files by their inodes.
        let numbers = Mutex<[UInt64: Int]>([:])
        private let failure = Mutex<String?>(nil)
        private let ended = Atomic(false)
        private let thread = Mutex<SystemThread?>(nil)

        func start(in directory: String) throws {
            try create(0, directory)
            let started = try SystemThread("rotator") { [self] in
                defer { ended.store(true, ordering: .releasing) }
                do {
                    for number in 0..<Self.rotations {
                        try rename("\(directory)/current", "\(directory)/previous")
                        try create(number + 1, directory)
                        try makeHardLink("\(directory)/@\(number)", to: "\(directory)/previous")
                        try remove("\(directory)/previous")
                    }
                } catch {
                    failure.withLock { $0 = "\(error)" }
                }
            }
            thread.withLock { $0 = started }
        }

        private func create(_ number: Int, _ directory: String) throws(SystemError) {
            // Entered before it has a name that a listing can show.
            try appendBytes([], to: "\(directory)/../next")
            let inode = try Descriptor.open("\(directory)/../next", O.read).status().inode
            numbers.withLock { $0[inode] = number }
            try rename("\(directory)/../next", "\(directory)/current")
        }

        var hasEnded: Bool { ended.load(ordering: .acquiring) }

        func join() throws {
            thread.withLock { $0 }?.join()
            if let failure = failure.withLock({ $0 }) { throw TestFailure(description: failure) }
        }
    }

    private struct TestFailure: Error {
        let description: String
    }

    @Test("A listing under rotations shows a state that was: with a file all that are older")
    func underRotations() throws {
        let home = try TemporaryDirectory()
        let path = try home.makeDirectory("log")
        let rotator = Rotator()
        try rotator.start(in: path)
        let directory = try Descriptor.open(path, O.directory)
        var looks = 0
        var torn: [String] = []
        while !rotator.hasEnded {
            let entries = try directory.entries()
            looks += 1
            let numbers = rotator.numbers.withLock { $0 }
            let shown = entries.compactMap { numbers[$0.inode] }
            let newest = shown.max() ?? 0
            if Set(shown).count <= newest, torn.count < 3 {
                torn.append("\(newest) without all before: \(Set(0...newest).subtracting(shown))")
            }
        }
        try rotator.join()
        #expect(torn.isEmpty, "in \(looks) looks: \(torn)")
        #expect(try directory.entries().count == Rotator.rotations + 1)
    }
}
