import Model
import Testing

@testable import Tailer

@Suite("The reader's agenda") struct AgendaTests {
    private func stream(_ number: Int) -> LogStream {
        LogStream(
            id: StreamID(number: number), kind: .path, name: "/log/\(number)",
            liveName: Array("\(number)".utf8), input: 0, captures: [:])
    }

    private func node(_ name: String) -> DirectoryNode {
        DirectoryNode(root: 0, path: [], text: name, places: [])
    }

    /// What is taken off it, as texts.
    private func taken(_ agenda: Agenda) -> [String] {
        var texts: [String] = []
        agenda.takeAll(
            wake: { texts.append("wake \($0.name)\($1 ? " fresh" : "")") },
            look: { texts.append("look \($0.text)") }, retry: { texts.append("retry \($0.text)") })
        return texts
    }

    @Test("Each stream and each directory is on it once, in the order in which they came")
    func once() {
        let agenda = Agenda()
        let (one, two, here, there) = (stream(1), stream(2), node("/here"), node("/there"))
        for _ in 0..<3 {
            agenda.wake(two, isFresh: false)
            agenda.wake(one, isFresh: false)
            agenda.look(at: there)
            agenda.look(at: here)
            agenda.retry(here)
        }
        // One of them has news.
        agenda.wake(two)
        #expect(
            taken(agenda) == [
                "wake /log/2 fresh", "wake /log/1", "look /there", "look /here", "retry /here",
            ])
        #expect(taken(agenda).isEmpty)
    }

    @Test("Another turn is no news by what an earlier one was")
    func freshness() {
        let agenda = Agenda()
        let one = stream(1)
        agenda.wake(one)
        _ = taken(agenda)
        agenda.wake(one, isFresh: false)
        #expect(taken(agenda) == ["wake /log/1"])
    }

    @Test("What is put on it while it is taken off is for the next time")
    func meanwhile() {
        let agenda = Agenda()
        let (one, here) = (stream(1), node("/here"))
        agenda.wake(one)
        agenda.look(at: here)
        agenda.takeAll(
            wake: { stream, _ in agenda.wake(stream) }, look: { agenda.look(at: $0) },
            retry: { _ in })
        #expect(taken(agenda) == ["wake /log/1 fresh", "look /here"])
    }
}
