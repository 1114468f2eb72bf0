import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("What was taken is sent", .overBases)
struct SendTakenTests {
    @Test("Nothing stays behind when all is read, and never more than so many turns' lines wait")
    func all() throws {
        let home = try TemporaryDirectory()
        for pod in 0..<300 { try home.write("logs/pod-\(pod)/app.log", "line of \(pod)\n") }
        let output = RecordingOutput()
        let tailer = try startTailer(output, [home.path("logs/*/app.log")], once: true)
        try eventually("all is read, at \(output.texts().count)") { output.texts().count == 300 }
        tailer.stop()
        #expect(output.texts().count == 300)
        output.state.withLock { state in
            #expect(state.unsent == 0)
            #expect(state.mostUnsent <= 128)
        }
    }
}
