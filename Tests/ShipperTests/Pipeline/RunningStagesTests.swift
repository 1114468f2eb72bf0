import Testing

@testable import Shipper

@Suite("Stages are stopped in the reverse order of their start") struct RunningStagesTests {
    private struct Missing: Error { let stage: Int }
    private struct Refusal: Error, Equatable { let stage: Int }

    @Test(
        "One that cannot start is not stopped, those before it are, and its error is told",
        arguments: [0, 1, 2, 3, nil] as [Int?])
    func order(missing: Int?) {
        var running = RunningStages<[Int]>()
        var (started, stopped): ([Int], [Int]) = ([], [])
        do throws(Refusal) {
            for number in 0..<4 {
                let stage = try running.start(orThrow: { (error: Missing) in
                    Refusal(stage: error.stage)
                }) { () throws(Missing) in
                    guard number != missing else { throw Missing(stage: number) }
                    return number
                } stop: {
                    $1.append($0)
                }
                started.append(stage)
            }
            #expect(missing == nil)
        } catch {
            #expect(error == missing.map { Refusal(stage: $0) })
        }
        #expect(started == Array(0..<(missing ?? 4)))
        running.stop(&stopped)
        #expect(stopped == started.reversed())
        // What is stopped is not stopped again.
        running.stop(&stopped)
        #expect(stopped == started.reversed())
    }
}
