import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Opening")
struct FileOpenerTests {
    /// 1. `current` was held while it was empty; s6-log filled it and rotated it away.
    /// 2. The listing that followed showed it as an archive, which is read to its end at 0 bytes of 0:
    ///    it was closed unread, and found again by the next start only.
    @Test("a file that was held while it was empty has the size that it has when it is taken up")
    func sizeWhenTakenUp() throws {
        let home = try TemporaryDirectory()
        try home.write("log/current", "")
        let output = RecordingOutput()
        let opener = FileOpener(output: output, mostOpen: 10, once: false)
        let stream = LogStream(
            id: StreamID(number: 1), kind: .s6, name: home.path("log"), liveName: S6Name.current,
            input: 0, captures: [:])
        let directory = try Descriptor.open(home.path("log"), O.directory)
        let archive = Array("@400000006b03bb0027d04f81.s".utf8)
        var request = FileOpener.Request(
            stream: stream, name: S6Name.current, path: home.path("log/current"),
            isArchived: false)
        switch opener.hold(request, in: directory) {
        case .held(let held):
            try home.append("log/current", "one\ntwo\n")
            try rename(home.path("log/current"), home.path("log/@400000006b03bb0027d04f81.s"))
            request = FileOpener.Request(
                stream: stream, name: archive, path: home.path("log/archive"), isArchived: true)
            guard case .opened(let file) = opener.adopt(request, held) else {
                Issue.record("not opened")
                return
            }
            #expect(file.isFinal && file.position == 0 && file.size == 8)
        case .failed:
            Issue.record("not held")
        }
    }
}
