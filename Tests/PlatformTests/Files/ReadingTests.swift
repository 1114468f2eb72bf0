import Platform
import TestSupport
import Testing

@Suite("How a log is read") struct ReadingTests {
    let home: TemporaryDirectory

    init() throws { home = try TemporaryDirectory() }

    private func open(_ name: String) throws -> Descriptor {
        let directory = try Descriptor.directory(atPath: home.path)
        switch try directory.openFile(Array(name.utf8)) {
        case .file(let file, _): return file
        case .refused: throw SystemError("openFile", path: name, code: .invalid)
        }
    }

    @Test("Reading a log of one's own leaves no time of access behind")
    func accessTime() throws {
        try home.write("app.log", "one\n")
        let path = home.path("app.log")
        // Where it is older than the last change, the kernel would note the next reading.
        try setTime(of: path, seconds: 1_000_000_000)
        try home.append("app.log", "two\n")
        #expect(try open("app.log").read(count: 100, at: 0) == Array("one\ntwo\n".utf8))
        #expect(try TestSupport.accessTime(of: path) == 1_000_000_000)
    }

    @Test(
        "Bytes are compared where they stand: others, and a file that ends before, are not the same"
    )
    func holds() throws {
        try home.write("app.log", "0123456789")
        let file = try open("app.log")
        func holds(_ text: String, at offset: Int) throws -> Bool {
            try file.holds(Array(text.utf8).span, at: offset)
        }
        #expect(try holds("0123456789", at: 0))
        #expect(try holds("789", at: 7))
        #expect(try holds("", at: 3))
        #expect(try !holds("0123456788", at: 0))
        #expect(try !holds("1", at: 0))
        #expect(try !holds("789x", at: 7))
        #expect(try !holds("0", at: 100))
    }
}
