internal import CTestSupport

extension Duration {
    /// How long a test waits for what has no reason to take long: ten times what the slowest test takes
    /// alone, because a machine may be ten times as busy. It only bounds a test that fails.
    package static let patience: Duration = .seconds(180)
}

/// A condition that did not come true in time.
package struct TimedOut: Error, CustomStringConvertible {
    /// What was waited for, and what is known about why it did not come.
    package let description: String
}

/// Blocks the calling thread until `condition` is true; throws `TimedOut`, naming `what`, when it is
/// not within the deadline. The deadline only bounds a test that fails, so it is generous.
///
/// It blocks one of the few threads that Swift runs tests on: what is waited for must live on threads
/// of its own or in another process, not in a task.
package func eventually(
    within deadline: Duration = .patience, _ what: @autoclosure () -> String,
    _ condition: () throws -> Bool
) throws {
    let clock = ContinuousClock()
    let end = clock.now + deadline
    var pause: Int64 = 200_000
    while true {
        if try condition() { return }
        if clock.now >= end {
            throw TimedOut(description: "not within \(deadline): \(what())")
        }
        ctest_pause(pause)
        pause = min(pause * 2, 20_000_000)
    }
}
