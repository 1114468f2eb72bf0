import Model
import Platform
import Registry
import Settings
import Tailer
import TestSupport
import Testing

@testable import Shipper

@Suite("status: how a running agent is") struct StatusTextTests {
    private static let now = Timestamp(milliseconds: 1_795_406_555_685)

    private func status(
        _ change: (inout Figures) -> Void = { _ in }, _ facts: Health.Facts = .init()
    )
        throws -> AgentStatus
    {
        var figures = Figures()
        figures.recordsDelivered = 1_000
        figures.bytesDelivered = 2_048
        figures.isBrokerReached = true
        change(&figures)
        let settings = try Settings.parse(settingsText(rest: "node: n1\ndata: /d"))
        return AgentStatus(settings, figures, Health(facts), faults: [])
    }

    private func file(_ number: Int, _ input: String, _ stream: String, lag: Int) -> ShownFile {
        let entry = FileEntry(
            file: FileID(number: number), input: input, stream: stream, path: "\(stream)/current",
            identity: FileIdentity(handle: nil, device: 9, inode: UInt64(number), birth: nil),
            fingerprint: .of(head: []), generation: GenerationID(value: 1), generationCount: 0,
            base: 0, offset: 0, anchor: .none, size: PhysicalOffset(lag), state: .active,
            updated: Timestamp(milliseconds: Self.now.milliseconds - 5_000))
        return ShownFile(entry: entry, state: .active, size: PhysicalOffset(lag))
    }

    @Test("The object can be read again, and its keys are those of the documentation")
    func json() throws {
        let status = try status {
            $0.lastAcknowledgement = 1_795_477_591_668_000_000
            $0.configHash = 5
            $0.processStart = 1_795_477_591_668_000_000
            $0.process = try? ProcessFigures.now()
        }
        #expect(AgentStatus(json: status.json) == status)
        let text = String(decoding: status.json, as: UTF8.self)
        #expect(text.hasSuffix("}\n") && text.contains("\"records_delivered\":1000,"), "\(text)")
        let page = try repositoryFile("docs/status.md")
        for part in text.split(separator: "\"") where part.hasSuffix("_") || part.contains("_") {
            guard part.utf8.allSatisfy({ $0 == 0x5F || (0x61...0x7A).contains($0) }) else {
                continue
            }
            #expect(page.contains("`\(part)`"), "\(part)")
        }
        #expect(AgentStatus(json: Array("{}".utf8)) == nil)
    }

    @Test("What is not met, is behind and is lost is told; what is well takes a word")
    func text() throws {
        let well = StatusText(status: try status(), now: Self.now).lines()
        #expect(well.contains("ready          yes") && well.contains("lost           nothing"))
        #expect(well.contains("behind         nothing"))

        var facts = Health.Facts()
        facts.refusal = "f.yaml:1:1: what?\nf.yaml:2:1: and\u{1B}[2J"
        let ill = try status(
            {
                $0.bytesLost = [.truncated: 7]
                $0.unreadBytes = 3_072
                $0.filesGone = 2
            }, facts)
        let files = [
            file(1, "pods", "/a", lag: 1_024), file(2, "pods", "/b", lag: 2_048),
            file(3, "old", "/c", lag: 0),
        ]
        let lines = StatusText(status: ill, files: files, now: Self.now).lines()
        #expect(lines.contains("ready          no"))
        #expect(
            lines.contains(
                "               configuration: an older one runs, for the newest was refused: "
                    + "f.yaml:1:1: what?; f.yaml:2:1: and\\u{1b}[2J"), "\(lines)")
        #expect(lines.contains("lost           7 B, ends of 2 vanished files"))
        #expect(
            lines.suffix(8) == [
                "", "INPUT                 FILES  BEHIND      LAG",
                "pods                      2       2  3.0 KiB",
                "old (not configured)      1       0      0 B", "",
                "STREAM      LAG  AGE", "/b      2.0 KiB   5s", "/a      1.0 KiB   5s",
            ], "\(lines)")
    }

    @Test("Rates are of two answers of one process; a clock that is set back gives none")
    func rates() throws {
        let first = try status()
        var text = String(decoding: first.json, as: UTF8.self)
        text = text.replacing("\"records_delivered\":1000", with: "\"records_delivered\":0")
        text = text.replacing(
            "\"now\":\"\(first.now)\"", with: "\"now\":\"2026-01-01T00:00:00.000Z\"")
        let before = try #require(AgentStatus(json: Array(text.utf8)))
        #expect(
            StatusText(status: first, before: before, now: Self.now).lines()[3]
                .contains(" records/s, "))
        #expect(
            !StatusText(status: before, before: first, now: Self.now).lines()[3]
                .contains(" records/s, "))
    }

    @Test("No line is wider than the screen, and ten streams are shown")
    func bounds() throws {
        let files = (0..<50).map { file($0, "pods", "/stream/\($0)", lag: $0 + 1) }
        let lines = StatusText(
            status: try status { $0.isBrokerReached = false }, files: files, now: Self.now,
            columns: 30
        ).lines()
        #expect(lines.allSatisfy { PrintableText.width($0) <= 30 }, "\(lines)")
        #expect(lines.last == "… and 40 more")
        #expect(lines.contains("brokers        none can be re…"))
    }
}
