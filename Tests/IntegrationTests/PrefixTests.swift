import Shipper
import TestSupport
import Testing

@Suite("A file that two inputs lead to by different ways is the first one's")
struct PrefixTests {
    /// 1. One input reads `logs/pods/*/…`, another one the same files by another way.
    /// 2. Which directory is scanned first depends on the depth of prefixes, and on chance.
    @Test(
        "whatever leads to a log, all of it has the first input's fields, once, also after a restart",
        arguments: [Way.beneath, .link], Pair.all)
    fileprivate func first(way: Way, pair: Pair) throws { try story(way, pair) }

    @Test(
        "so it is where its directory is mounted in another place, too",
        .enabled(if: PrivateMounts.permitted, "\(PrivateMounts.needed)"), arguments: Pair.all)
    fileprivate func mounted(pair: Pair) throws { try story(.mount, pair) }

    private func story(_ way: Way, _ pair: Pair) throws {
        let (names, wide, isWideFirst) = (pair.names, pair.wide, pair.isWideFirst)
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "pods/*/\(wide)", input: "fields: {by: wide}")
        try agent.configure { text in
            let other =
                "  - {name: other, paths: [\"\(agent.log(way.other))/\(names[0])\"], "
                + "fields: {by: other}}\n"
            text.replace(isWideFirst ? "output:" : "  - {name: logs", with: other)
            if isWideFirst {
                text.replace(other, with: other + "output:")
            } else {
                text.replace(other, with: other + "  - {name: logs")
            }
        }
        try agent.home.makeDirectory("logs/pods/a")
        var wrapper: [String] = []
        switch way {
        case .beneath: break
        case .link: try makeLink(agent.log("link"), to: agent.log("pods/a"))
        case .mount:
            try agent.home.makeDirectory("logs/mounted/deep")
            wrapper = [
                "/bin/sh", "-c",
                "exec unshare -m sh -c 'mount --bind \"$0\" \"$1\" && shift && exec \"$@\"' \"$@\"",
                "sh", agent.log("pods/a"), agent.log("mounted/deep"),
            ]
        }
        var expected: [String] = []
        for run in 0..<2 {
            for name in names {
                let lines = LineSource("\(run)-\(name)").texts(0..<10)
                try agent.home.append(
                    "logs/pods/a/\(name)", lines.map { $0 + "\n" }.joined())
                expected += lines
                // What has such a name is final.
                if run == 1 { break }
            }
            try agent.start(wrapper: wrapper)
            try eventually("its lines by \(way); \(agent.said)") {
                reader.count >= expected.count
            }
            #expect(try agent.stop() == .code(0))
        }
        #expect(try reader.messages().sorted() == expected.sorted(), "\(way)")
        let by = Set(try reader.records("logs").map { try $0.document().fields?["by"] })
        // What s6-log has made is one stream, of the input that has its `current`.
        #expect(by == [isWideFirst ? "wide" : "other"], "\(way)")
        #expect(try AuditCount.of(broker) == expected.count, "\(way)")
        let check = try agent.launch(["check", "--config", agent.config], wrapper: wrapper)
        #expect(try check.wait() == .code(0), "\(check.errors)")
        let (mine, theirs) = isWideFirst ? ("logs", "other") : ("other", "logs")
        #expect(check.output.contains("# Input \(theirs) matches 0 files now."), "\(check.output)")
        #expect(
            check.output.contains("# Input \(mine) matches \(isWideFirst ? names.count : 1) "),
            "\(check.output)")
    }
}

/// How two patterns' prefixes lead to one directory.
private enum Way: String, CustomTestStringConvertible {
    case beneath, link, mount

    var testDescription: String { rawValue }

    /// A pattern's path beneath `logs`; the files are in `logs/pods/a`.
    var other: String {
        switch self {
        case .beneath: "pods/a"
        case .link: "link"
        case .mount: "mounted/deep"
        }
    }
}

/// A log and which of two inputs comes first.
private struct Pair: CustomTestStringConvertible {
    let names: [String]
    let wide: String
    let isWideFirst: Bool

    var testDescription: String { "\(names[0]), \(isWideFirst ? "wide" : "other") first" }

    static let all = [false, true].flatMap { isWideFirst in
        [
            Pair(names: ["app.log"], wide: "*.log", isWideFirst: isWideFirst),
            Pair(
                names: ["current", "@400000006b03bb0027d04f81.s"], wide: "*",
                isWideFirst: isWideFirst),
        ]
    }
}
