import Model
import TestSupport
import Testing

@testable import Registry
@testable import Shipper

@Suite("Which entries lie in a directory") struct EntryPlacesTests {
    let directory: TemporaryDirectory
    let registry: Registry

    init() throws {
        directory = try TemporaryDirectory()
        registry = try Registry.open(
            directory: directory.path("data"),
            observer: EventLog(Log(level: .error, format: .text) { _ in }))
    }

    private func see(_ path: String, of stream: String? = nil) -> FileEntry {
        registry.see(
            NewFile(
                input: "pods", stream: stream ?? path, path: path,
                identity: FileIdentity(handle: nil, device: 1, inode: 2, birth: 3),
                fingerprint: .of(head: [1]), offset: 0, size: 0))
    }

    private func paths(_ places: inout EntryPlaces, _ directory: String) -> [String] {
        places.entries(in: ExactText(directory), of: registry).map(\.path)
    }

    @Test("by where the file lies, and by where its log does; to the byte")
    func places() {
        _ = see("/v/app.log")
        _ = see("/v/app.log.1", of: "/v/app.log")
        _ = see("/old/app.log.2", of: "/v/app.log")
        _ = see("/v/s6/@4.s", of: "/v/s6")
        _ = see("/v/\u{E9}/a.log")
        _ = see("/v/e\u{301}/a.log")
        var places = EntryPlaces()
        #expect(paths(&places, "/v") == ["/v/app.log", "/v/app.log.1", "/old/app.log.2"])
        #expect(paths(&places, "/old") == ["/old/app.log.2"])
        #expect(paths(&places, "/v/s6") == ["/v/s6/@4.s"])
        #expect(
            paths(&places, "/v/e\u{301}").map { Array($0.utf8) } == [
                Array("/v/e\u{301}/a.log".utf8)
            ])
        #expect(paths(&places, "/") == [])
    }

    /// What is seen after somebody has asked, also when it is more than is remembered.
    @Test("what comes later is there, and what went or moved is not", arguments: [10, 10_000])
    func later(count: Int) {
        let first = see("/v/0.log")
        var places = EntryPlaces()
        #expect(paths(&places, "/v") == ["/v/0.log"])
        for number in 1..<count { places.add(see("/v/\(number).log")) }
        #expect(paths(&places, "/v") == (0..<count).map { "/v/\($0).log" })
        registry.gone(first.file)
        #expect(paths(&places, "/v").count == count - 1)
    }
}
