import Platform
import TestSupport
import Testing

@Suite("A scratch directory")
struct ScratchDirectoryTests {
    @Test("It is removed with everything in it, and what its links lead to stays")
    func removes() throws {
        let home = try TemporaryDirectory()
        let kept = try home.write("kept/file", "x")
        let scratch = try ScratchDirectory("scratch", environment: ["TMPDIR": home.path("kept")])
        #expect(scratch.path.hasPrefix(home.path("kept/scratch-")))
        let deep = try scratch.makeDirectory("a/b/c")
        #expect(deep == "\(scratch.path)/a/b/c")
        #expect(try scratch.makeDirectory("a/b") == "\(scratch.path)/a/b")
        try makeLink("\(deep)/link", to: kept)
        try makeLink("\(deep)/up", to: home.path("kept"))
        try home.write("kept/\(scratch.path.split(separator: "/").last ?? "")/a/file", "y")
        try scratch.remove()
        #expect(try home.names("kept") == ["file"])
    }

    @Test("Where none can be made, the error names the directory")
    func missing() {
        #expect {
            _ = try ScratchDirectory("scratch", environment: ["TMPDIR": "/nowhere"])
        } throws: {
            "\($0)" == "realpath /nowhere: No such file or directory"
        }
    }
}
