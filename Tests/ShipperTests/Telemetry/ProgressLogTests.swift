import Platform
import Synchronization
import TestSupport
import Testing

@testable import Shipper

@Suite("What was shipped is told from time to time, and nothing while nothing moves")
struct ProgressLogTests {
    private func figures(records: Int, bytes: Int, read: Int) -> Figures {
        var figures = Figures()
        (figures.recordsDelivered, figures.bytesDelivered) = (records, bytes)
        figures.bytesRead = read
        (figures.unreadBytes, figures.inFlightBytes) = (7, 9)
        (figures.files, figures.brokersConnected) = (3, 2)
        return figures
    }

    @Test("Each line has what came since the last one")
    func movement() {
        var movement = Movement()
        func report(_ records: Int, _ bytes: Int, _ read: Int) -> [String]? {
            movement.report(figures(records: records, bytes: bytes, read: read)).map { data in
                data.map { "\($0.key) \($0.value)" }
            }
        }
        func line(_ records: Int, _ bytes: Int) -> [String] {
            zip(
                [
                    "records_delivered", "bytes_delivered", "bytes_unread", "bytes_in_flight",
                    "files", "brokers",
                ], [records, bytes, 7, 9, 3, 2]
            ).map { "\($0) \(Log.Value.count($1))" }
        }
        #expect(report(0, 0, 0) == nil)
        #expect(report(10, 1000, 1500) == line(10, 1000))
        #expect(report(10, 1000, 1500) == nil)
        #expect(report(12, 1300, 1500) == line(2, 300))
        // What is read and waits for its delivery moves, too.
        #expect(report(12, 1300, 1600) == line(0, 0))
    }

    @Test("The thread tells again and again, and ends with stop")
    func thread() throws {
        let (asked, told) = (SharedCount(), SharedCount())
        let progress = try ProgressLog(
            interval: 1_000_000,
            figures: { figures(records: asked.next(), bytes: 0, read: 0) },
            tell: { _ in _ = told.next() })
        try eventually("it tells three times") { told.value > 2 }
        progress.stop()
        #expect(told.value == asked.value)
    }
}

/// A number that threads count up.
private final class SharedCount: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func next() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}
