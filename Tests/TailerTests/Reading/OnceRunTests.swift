import Testing

@testable import Tailer

@Suite("--once ends when its work is done")
struct OnceRunTests {
    @Test("nothing is left: it is over at once")
    func settled() {
        var run = OnceRun()
        #expect(run.pauses(isSettled: true) == .isOver)
    }

    @Test("what brings nothing is tried ten times, and then left")
    func futile() {
        var run = OnceRun()
        for _ in 0..<OnceRun.mostFutileLooks { #expect(run.pauses(isSettled: false) == .isNot) }
        #expect(run.pauses(isSettled: false) == .isOver)
    }

    @Test("as long as anything moves it is not over, however long it takes")
    func moving() {
        var run = OnceRun()
        for _ in 0..<10_000 {
            for _ in 0..<OnceRun.mostFutileLooks {
                #expect(run.pauses(isSettled: false) == .isNot)
            }
            run.moved()
        }
        #expect(run.pauses(isSettled: false) == .isNot)
        #expect(run.pauses(isSettled: true) == .isOver)
    }
}
