import Testing

@testable import Shipper

@Suite("How many inotify watches the agent takes")
struct WatchPlanTests {
    @Test("half of what its user may have, and no more than its memory is good for")
    func auto() {
        #expect(WatchPlan(wanted: nil, ofUser: 8_192).most == 4_096)
        #expect(WatchPlan(wanted: nil, ofUser: 1_048_576).most == 32_768)
        #expect(WatchPlan(wanted: nil, ofUser: 1).most == 1)
        #expect(WatchPlan(wanted: nil, ofUser: 0).most == 1)
        #expect(WatchPlan(wanted: nil, ofUser: nil).most == 4_096)
    }

    @Test("what the configuration says is taken at its word")
    func wanted() {
        #expect(WatchPlan(wanted: 100_000, ofUser: 8_192).most == 100_000)
    }
}
