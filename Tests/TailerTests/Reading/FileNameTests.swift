import Model
import Testing

@testable import Tailer

@Suite("Where a file was seen last")
struct FileNameTests {
    private let identity = FileIdentity(handle: nil, device: 1, inode: 7, birth: 1)

    private func name(_ text: String, isElsewhere: Bool = false) -> TailedFile.Name {
        TailedFile.Name(
            Array(text.utf8), path: "/log/\(text)", identity, isElsewhere: isElsewhere)
    }

    @Test("What has lost its name is still told by the last one, and by where it lay")
    func lost() {
        var name = name("app.log")
        name.becomeNameless()
        #expect(
            name.name == nil && name.last == Array("app.log".utf8) && name.path == "/log/app.log")
        name.becomeNameless()
        #expect(name.last == Array("app.log".utf8))
    }

    @Test("What is found again has its new name, whether it had lost the old one or not")
    func found() {
        for isLost in [false, true] {
            var name = name("app.log")
            if isLost { name.becomeNameless() }
            name.change(to: Array("app.log.1".utf8), path: "/log/app.log.1")
            #expect(name == self.name("app.log.1"))
        }
    }

    @Test("What lies elsewhere has no name in its stream's directory")
    func elsewhere() {
        let found = name("app.log.1", isElsewhere: true)
        #expect(found.name == nil && found.last == Array("app.log.1".utf8))
        var moved = name("app.log")
        moved.becomeNameless()
        moved.move(to: "/old/app.log.1")
        #expect(moved.name == nil && moved.path == "/old/app.log.1" && moved.identity == identity)
    }
}
