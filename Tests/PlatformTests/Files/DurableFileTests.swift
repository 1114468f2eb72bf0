import Platform
import Synchronization
import TestSupport
import Testing

private final class StepRecorder: FileStepWitness {
    private let state = Mutex<(steps: [FileStep], failing: FileStep?)>(([], nil))

    init(failing: FileStep? = nil) { state.withLock { $0.failing = failing } }

    var steps: [FileStep] { state.withLock { $0.steps } }

    func willTake(_ step: FileStep) throws(SystemError) {
        let fails = state.withLock { state in
            state.steps.append(step)
            return state.failing == step
        }
        if fails { throw SystemError("test", code: .noSpace) }
    }
}

@Suite("Files that are replaced whole or not at all") struct AtomicFileTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func text(_ name: String) throws -> String {
        String(decoding: try readFile(directory.path(name)), as: UTF8.self)
    }

    @Test("Data are forced to the disk before the rename, the directory after it")
    func order() throws {
        let recorder = StepRecorder()
        let opened = try Descriptor.directory(atPath: directory.path)
        try AtomicFile.replace("a", in: opened, with: Array("new".utf8), witness: recorder)
        #expect(
            recorder.steps == [
                .create("a.new"), .write("a.new", bytes: 3), .synchronise("a.new"),
                .rename("a.new", to: "a"), .synchroniseDirectory,
            ])
        #expect(try text("a") == "new")
        #expect(try opened.status(of: "a").mode & 0o777 == 0o600)
    }

    @Test(
        "Whatever step fails, the name has the old content or the new, and nothing is left beside",
        arguments: [
            FileStep.create("a.new"), .write("a.new", bytes: 3), .synchronise("a.new"),
            .rename("a.new", to: "a"), .synchroniseDirectory,
        ])
    func failure(_ step: FileStep) throws {
        try directory.write("a", "old")
        let opened = try Descriptor.directory(atPath: directory.path)
        #expect(throws: SystemError.self) {
            try AtomicFile.replace(
                "a", in: opened, with: Array("new".utf8), witness: StepRecorder(failing: step))
        }
        #expect(try text("a") == (step == .synchroniseDirectory ? "new" : "old"))
        #expect(try directory.names() == ["a"])
    }

    @Test("What a crash left beside is overwritten, not appended to")
    func leftover() throws {
        try directory.write("a.new", "half of something longer")
        let opened = try Descriptor.directory(atPath: directory.path)
        try AtomicFile.replace("a", in: opened, with: Array("new".utf8))
        #expect(try text("a") == "new")
    }

    @Test("A directory given by a symbolic link is refused")
    func link() throws {
        try directory.makeDirectory("real")
        let opened = try Descriptor.directory(atPath: directory.path)
        try symbolicLink(directory.path("real"), at: directory.path("link"))
        #expect(throws: SystemError.self) {
            _ = try Descriptor.directory(atPath: directory.path("link"))
        }
        #expect(throws: SystemError.self) { _ = try opened.directory(named: "link") }
        _ = try opened.directory(named: "real")
    }
}

@Suite("A lock file") struct FileLockTests {
    @Test("The second attempt learns who holds it; the lock is free once the holder is gone")
    func contention() throws {
        let directory = try TemporaryDirectory()
        let opened = try Descriptor.directory(atPath: directory.path)
        try directory.write("lock", "99999999999999999999\n")
        do {
            let first = try FileLock.attempt("lock", in: opened)
            guard case .taken(let lock) = consume first else {
                Issue.record("a free lock was not taken")
                return
            }
            guard case .held(let pid) = try FileLock.attempt("lock", in: opened) else {
                Issue.record("a held lock was taken")
                return
            }
            let text = String(decoding: try readFile(directory.path("lock")), as: UTF8.self)
            #expect(pid.map { "\($0)\n" } == text)
            _ = consume lock
        }
        guard case .taken = try FileLock.attempt("lock", in: opened) else {
            Issue.record("the lock outlived its holder")
            return
        }
    }
}

@Suite("Checksums and digests") struct DigestTests {
    @Test("CRC-32 is zlib's", arguments: [("", 0), ("123456789", 0xCBF4_3926), ("a", 0xE8B7_BE43)])
    func crc(_ text: String, _ sum: UInt32) {
        #expect(Checksum.crc32(Array(text.utf8).span) == sum)
    }

    @Test(
        "SHA-256 is FIPS 180's",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ])
    func sha(_ text: String, _ hex: String) {
        let digest = Digest.sha256(Array(text.utf8).span)
        let written = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(written == hex)
    }

    @Test("A 64-bit id is the digest's head, big endian")
    func id() {
        #expect(Digest.id64(Array("abc".utf8).span) == 0xBA78_16BF_8F01_CFEA)
    }
}
