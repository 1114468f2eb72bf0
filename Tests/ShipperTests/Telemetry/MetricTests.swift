import Kafka
import Platform
import Tailer
import TestSupport
import Testing

@testable import Shipper

@Suite struct MetricTests {
    @Test func labelsAreEscapedAndLinesKeptWhole() {
        var text = MetricText()
        text.add(
            "a_total", .counter, help: "One \\ two\nthree \"four\".",
            [
                MetricText.Sample(
                    labels: [
                        MetricText.Label(name: "path", value: "a\"b\\c\nd\u{e9}\u{0}"),
                        MetricText.Label(name: "empty", value: ""),
                    ], value: .integer(-5)),
                MetricText.Sample(value: .integer(.max)),
            ])
        text.add(
            "s", .summary, help: "S.",
            [
                MetricText.Sample(suffix: "_sum", value: .seconds(nanoseconds: 1_500_000_000)),
                MetricText.Sample(suffix: "_count", value: .integer(2)),
            ])
        text.add("none", .gauge, help: "Without a value.", [])
        #expect(
            text.text == #"""
                # HELP a_total One \\ two\nthree "four".
                # TYPE a_total counter
                a_total{path="a\"b\\c\nd\#u{e9}\#u{0}",empty=""} -5
                a_total 9223372036854775807
                # HELP s S.
                # TYPE s summary
                s_sum 1.5
                s_count 2

                """#)
    }

    @Test func everyMetricHasAGoodNameAHelpAndOnePlace() {
        let names = Metric.all.map(\.name)
        #expect(Set(names).count == names.count && names.count > 30)
        for metric in Metric.all {
            let name = metric.name
            #expect(name.hasPrefix("shipper_") || name.hasPrefix("process_"))
            #expect(
                name.utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
                }, "\(name)")
            #expect(name.hasSuffix("_total") == (metric.kind == .counter), "\(name)")
            #expect(metric.help.hasSuffix("."), "\(name)")
        }
    }

    /// As docs/metrics.md tells.
    @Test func theCausesOfTroubleAreWordsWithOneLineBetweenThem() {
        let labels = BrokerTrouble.Cause.allCases.map(\.label)
        #expect(Set(labels).count == labels.count)
        for label in ["name", "plain_on_tls", "tls_on_plain", "not_yet_valid", "sasl_wanted"] {
            #expect(labels.contains(label), "\(labels)")
        }
    }

    /// An alert on a rate needs the series before the first loss.
    @Test func everyReasonForALossIsThereFromTheStart() {
        let page = Metric.page(Figures())
        for reason in LossReason.allCases {
            #expect(page.contains("\nshipper_bytes_lost_total{reason=\"\(reason)\"} 0\n"))
        }
        #expect(page.contains("\nshipper_archives_lost_total 0\n"))
        #expect(page.contains("\nshipper_records_rejected_total{code=\"MSG_SIZE_TOO_LARGE\"} 0\n"))
        // What never happened has no time.
        #expect(!page.contains("timestamp_seconds"))
        #expect(!page.contains("process_"))
    }

    @Test func thePageTellsWhatIsCounted() throws {
        var figures = Figures()
        figures.bytesLost = [.truncated: 7]
        figures.bytesRead = 100
        figures.bytesDelivered = 60
        figures.unreadBytes = 5
        figures.recordsRejected = ["MSG_SIZE_TOO_LARGE": 2, "_TIMED_OUT": 3]
        figures.lastAcknowledgement = 1_795_477_591_668_000_000
        figures.isBrokerReached = true
        figures.configHash = 281_474_976_710_655
        figures.reloads = [.refused: 2]
        figures.process = try ProcessFigures.now()
        figures.processStart = try ProcessFigures.startNanoseconds()
        let page = Metric.page(figures)
        for line in [
            "shipper_build_info{version=\"\(Version.text)\"} 1",
            "shipper_bytes_lost_total{reason=\"truncated\"} 7",
            "shipper_bytes_lost_total{reason=\"deleted_unread\"} 0", "shipper_lag_bytes 45",
            "shipper_records_rejected_total{code=\"MSG_SIZE_TOO_LARGE\"} 2",
            "shipper_records_rejected_total{code=\"_TIMED_OUT\"} 3",
            "shipper_last_acknowledgement_timestamp_seconds 1795477591.668",
            "shipper_brokers_reachable 1", "shipper_config_hash 281474976710655",
            "shipper_config_reloads_total{result=\"refused\"} 2",
            "shipper_config_reloads_total{result=\"applied\"} 0",
        ] {
            #expect(page.contains("\n\(line)\n"), "\(line)")
        }
        for metric in Metric.all {
            let samples = metric.samples(figures)
            #expect(!samples.isEmpty || metric.name.contains("last_save"), "\(metric.name)")
            #expect(Set(samples.map { "\($0.suffix) \($0.labels)" }).count == samples.count)
        }
    }

    @Test func theDocumentationListsEveryMetricAsItIs() throws {
        let text = try repositoryFile("docs/metrics.md")
        let rows = text.split(separator: "\n").filter {
            $0.hasPrefix("| `") && !$0.hasPrefix("| `/")
        }
        let expected = Metric.all.map { metric in
            let labels = Set(metric.samples(Figures()).flatMap { $0.labels.map(\.name) })
            let suffix = labels.isEmpty ? "" : "{\(labels.sorted().joined(separator: ","))}"
            return "| `\(metric.name)\(suffix)` | \(metric.kind.rawValue) | \(metric.help) |"
        }
        #expect(rows.map(String.init) == expected)
    }

    @Test func theProcessIsMeasured() throws {
        let before = try ProcessFigures.now()
        let held = try (0..<5).map { _ in try Held() }
        let after = try ProcessFigures.now()
        // Other tests run in this process; but it is one, and it began before this.
        #expect(after.openDescriptors > 5 && after.openDescriptors <= after.descriptorLimit)
        #expect(after.residentBytes > 1 << 20 && after.virtualBytes > after.residentBytes)
        #expect(after.cpuNanoseconds >= before.cpuNanoseconds && before.cpuNanoseconds > 0)
        let start = try ProcessFigures.startNanoseconds()
        let age = Clock.wallNanoseconds() - start
        #expect(age > 0 && age < 86_400_000_000_000)
        _ = held
    }

    private final class Held {
        let descriptor: Descriptor
        init() throws { descriptor = try Descriptor.open("/dev/null", 0) }
    }
}
