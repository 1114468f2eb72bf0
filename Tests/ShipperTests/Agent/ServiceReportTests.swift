import Kafka
import Platform
import Shipper
import Testing

@testable import Shipper

@Suite struct ServiceReportTests {
    private static let second: Int64 = 1_000_000_000

    private static func facts(
        _ change: (inout Health.Facts) -> Void = { _ in }
    ) -> ServiceReport.Facts {
        var facts = Health.Facts()
        change(&facts)
        return ServiceReport.Facts(health: Health(facts))
    }

    private static let lost = facts { $0.brokerReach = .lost }

    @Test func aReadyAgentIsStartedAndSaysSoOnce() {
        var report = ServiceReport(began: 0)
        #expect(
            report.messages(Self.facts(), hasWatchdog: false, now: 0)
                == ["READY=1", "STATUS=ready"])
        #expect(report.messages(Self.facts(), hasWatchdog: false, now: 1).isEmpty)
        // What comes later is no start.
        #expect(
            report.messages(Self.lost, hasWatchdog: false, now: 2)
                == ["STATUS=brokers: none can be reached"])
        #expect(
            report.messages(Self.facts(), hasWatchdog: false, now: 3) == ["STATUS=ready"])
    }

    @Test func anOutageOfKafkaHoldsUpAStartForThirtySecondsOnly() {
        var report = ServiceReport(began: Self.second)
        #expect(
            report.messages(Self.lost, hasWatchdog: false, now: 2 * Self.second)
                == ["STATUS=brokers: none can be reached"])
        #expect(
            report.messages(Self.lost, hasWatchdog: false, now: 30 * Self.second).isEmpty)
        #expect(
            report.messages(Self.lost, hasWatchdog: false, now: 31 * Self.second)
                == ["READY=1"])
    }

    @Test func aReloadIsToldWithItsTimeThoughItWasOverBeforeAnybodyLooked() {
        var report = ServiceReport(began: 0)
        var facts = Self.facts()
        _ = report.messages(facts, hasWatchdog: false, now: 0)
        facts.reloads = 1
        facts.isReloading = true
        #expect(
            report.messages(facts, hasWatchdog: false, now: 5_000)
                == ["RELOADING=1\nMONOTONIC_USEC=5"])
        #expect(report.messages(facts, hasWatchdog: false, now: 6_000).isEmpty)
        facts.isReloading = false
        #expect(report.messages(facts, hasWatchdog: false, now: 7_000) == ["READY=1"])
        facts.reloads = 2
        #expect(
            report.messages(facts, hasWatchdog: false, now: 8_000)
                == ["RELOADING=1\nMONOTONIC_USEC=8", "READY=1"])
    }

    @Test func whoHangsIsNotSpokenFor() {
        var report = ServiceReport(began: 0)
        let late = Self.facts { $0.isReaderLate = true }
        #expect(!report.messages(late, hasWatchdog: true, now: 0).contains("WATCHDOG=1"))
        #expect(report.messages(Self.lost, hasWatchdog: true, now: 0).contains("WATCHDOG=1"))
        #expect(!report.messages(Self.lost, hasWatchdog: false, now: 0).contains("WATCHDOG=1"))
    }

    @Test func aStopIsToldOnceAndNothingElseAfterIt() {
        var report = ServiceReport(began: 0)
        var facts = Self.lost
        facts.isStopping = true
        facts.reloads = 1
        #expect(
            report.messages(facts, hasWatchdog: false, now: 0)
                == ["STOPPING=1", "STATUS=brokers: none can be reached"])
        #expect(report.messages(facts, hasWatchdog: false, now: 90 * Self.second).isEmpty)
    }

    @Test func whatIsSaidIsOneShortLine() {
        var report = ServiceReport(began: 0)
        let facts = Self.facts {
            $0.whyNotSaved = "a\nb" + String(repeating: "c", count: 1_000)
        }
        let said = report.messages(facts, hasWatchdog: false, now: 0)
        #expect(said.count == 1 && said[0].hasPrefix("STATUS=registry: a bc"))
        #expect(said[0].count == 207)
    }

    static let watchdogs: [(environment: [String: String], pause: Int64?)] = [
        ([:], nil), (["WATCHDOG_USEC": "2000000"], 1_000_000_000),
        (["WATCHDOG_USEC": "-1"], nil), (["WATCHDOG_USEC": "much"], nil),
        (["WATCHDOG_USEC": "9223372036854775807"], 500_000_000_000_000),
        (["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"], nil),
        (
            ["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "\(ProcessContext.number)"],
            1_000_000_000
        ),
    ]

    @Test(arguments: watchdogs)
    func theWatchdogIsFedTwiceInItsTime(environment: [String: String], pause: Int64?) {
        #expect(ServiceManager.watchdog(environment) == pause)
    }
}
