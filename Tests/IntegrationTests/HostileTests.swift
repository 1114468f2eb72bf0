import FoundationEssentials
import Glibc
import Platform
import Shipper
import Synchronization
import TestSupport
import Testing

@Suite("What a pod does in its directory is its own concern", .serialized)
struct HostileTests {
    /// What is done again and again beside a test until it ends.
    private final class Loop: Sendable {
        private let isOver = Atomic(false)
        private let rounds = Atomic(0)
        private let failure = Shared<String?>(nil)
        private let thread = Shared<SystemThread?>(nil)

        init(_ body: @escaping @Sendable (Int) throws -> Void) throws {
            let started = try SystemThread("loop") { [self] in
                do {
                    while !isOver.load(ordering: .acquiring) {
                        try body(rounds.load(ordering: .relaxed))
                        rounds.add(1, ordering: .releasing)
                    }
                } catch {
                    failure.with { $0 = "\(error)" }
                }
            }
            thread.with { $0 = started }
        }

        var count: Int { rounds.load(ordering: .acquiring) }

        /// Ends it and throws what went wrong in it.
        func stop() throws {
            isOver.store(true, ordering: .releasing)
            thread.current?.join()
            if let failure = failure.current { throw Unexpected(description: failure) }
        }
    }

    @Test(
        "X2: a component that becomes a link to elsewhere, again and again: never a byte from there",
        arguments: ["{pod}/log/x.log", "**/x.log", "{pod}/log/*"])
    func swapped(path: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: path, kafka: "topic: logs, codec: raw")
        try agent.home.write("secret/log/x.log", "secret\n")
        try agent.home.write("secret/x.log", "secret\n")
        try agent.home.makeDirectory("logs/pod/log")
        try agent.home.makeDirectory("logs/other/log")
        let (logs, secret) = (agent.home.path("logs"), agent.home.path("secret"))
        try agent.start()
        let loop = try Loop { round in
            // The file, its directory, and the directory above it, one after the other. Something
            // appears each time, so the agent comes to look.
            switch round % 3 {
            case 0:
                try appendBytes(Array("own \(round)\n".utf8), to: "\(logs)/pod/log/x.log")
                try remove("\(logs)/pod/log/x.log")
                try makeLink("\(logs)/pod/log/x.log", to: "\(secret)/x.log")
                try remove("\(logs)/pod/log/x.log")
            case 1:
                try rename("\(logs)/pod/log", "\(logs)/pod/away")
                try makeLink("\(logs)/pod/log", to: "\(secret)/log")
                try remove("\(logs)/pod/log")
                try rename("\(logs)/pod/away", "\(logs)/pod/log")
            default:
                try rename("\(logs)/pod", "\(secret)/pod")
                try makeLink("\(logs)/pod", to: secret)
                try remove("\(logs)/pod")
                try rename("\(secret)/pod", "\(logs)/pod")
            }
        }
        // As long as another pod ships its lines one by one, and for 3,000 rounds at least.
        var sent = 0
        try eventually("3,000 rounds") {
            try agent.home.append("logs/other/log/x.log", "other \(sent)\n")
            sent += 1
            try eventually("the other pod goes on; \(agent.said)") {
                reader.texts().count { $0.hasPrefix("other ") } == sent
            }
            return loop.count >= 3_000
        }
        try loop.stop()
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        #expect(!texts.contains { $0.contains("secret") })
        #expect(texts.allSatisfy { $0.hasPrefix("own ") || $0.hasPrefix("other ") })
        #expect(texts.filter { $0.hasPrefix("other ") } == (0..<sent).map { "other \($0)" })
    }

    @Test("X5: one pod floods, and 50 others with 10 lines a second keep a p99 under a second")
    func flood() throws {
        let pods = 50
        struct Arrivals: Sendable {
            /// Milliseconds from the writing of each line to its arrival.
            var delays: [Int] = []
            var faults = 0
        }
        let arrivals = Shared(Arrivals())
        let broker = try BrokerProcess(topics: ["logs.flood", "logs.quiet"])
        let reader = try KafkaReader(broker, topics: ["logs.quiet"]) { record in
            let now = Clock.wallNanoseconds()
            arrivals.with {
                if let written = Int64(record.text.prefix { $0 != " " }) {
                    $0.delays.append(Int((now - written) / 1_000_000))
                } else {
                    $0.faults += 1
                }
            }
        }
        let agent = try Agent(
            broker.address, path: "{kind}/{pod}/x.log",
            kafka: "topic: \"logs.{kind}\", codec: raw")
        try agent.home.makeDirectory("logs/flood/pod")
        for pod in 0..<pods { try agent.home.makeDirectory("logs/quiet/pod-\(pod)") }
        try agent.start()
        let flood = try PacedWriter(
            LineSource("w", payload: 150...250).lines(0..<5_000),
            to: agent.log("flood/pod/x.log"), bytesPerSecond: 200_000_000, for: .seconds(6))
        // Each pod in its turn, one line each two milliseconds: ten a second of each.
        let clock = ContinuousClock()
        let begin = clock.now
        var written = 0
        try eventually("the flood is over") {
            while (clock.now - begin) / .milliseconds(2) > Double(written) {
                try appendBytes(
                    Array("\(Clock.wallNanoseconds()) \(written)\n".utf8),
                    to: agent.log("quiet/pod-\(written % pods)/x.log"))
                written += 1
            }
            return flood.hasEnded
        }
        try flood.join()
        try eventually("all quiet lines; \(agent.said)") {
            arrivals.with { $0.delays.count } >= written
        }
        // While it flooded, not only after.
        #expect(flood.blocks > 100)
        agent.kill()
        let result = arrivals.current
        let delays = result.delays.sorted()
        let p99 = delays[delays.count * 99 / 100]
        #expect(p99 < 1_000, "p50 \(delays[delays.count / 2]) ms, p99 \(p99) ms, \(written) lines")
        #expect(result.faults == 0 && reader.missing == 0 && delays.count == written)
    }

    @Test("X7: file names of any bytes: correct documents, keys, registry, and nothing twice")
    func names() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs")
        var names: [[UInt8]] = [
            "two\nlines", "say \"quote\"", "back\\slash", "tab\tand \u{1b}[31mred", "{brace}",
            "-n", " ", "ünï", "per%cent", "a=b c=d", "'",
        ].map { Array($0.utf8) }
        names += [[0xff, 0xfe], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0x80] + Array("x".utf8)]
        names.append([UInt8](repeating: UInt8(ascii: "n"), count: 251))
        names.append([UInt8](repeating: 0xc3, count: 251))
        let end = Array(".log".utf8)
        for (number, name) in names.enumerated() {
            try write("file \(number)\n", to: name + end, in: agent.home.path("logs"))
        }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("one line of each; \(agent.said)") { reader.count >= names.count }
        for (number, name) in names.enumerated() {
            try write("more of \(number)\n", to: name + end, in: agent.home.path("logs"))
        }
        try agent.start()
        try eventually("the second of each; \(agent.said)") { reader.count >= 2 * names.count }
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(broker) == 2 * names.count)

        let documents = try reader.records.map { try $0.document() }
        #expect(
            documents.map(\.message).sorted()
                == names.indices.flatMap { ["file \($0)", "more of \($0)"] }.sorted())
        // A file's lines have one path and one key, and no two files share them.
        var paths: [Int: Set<String>] = [:]
        var keys: [Int: Set<[UInt8]>] = [:]
        for (record, document) in zip(reader.records, documents) {
            let number = Int(document.message.split(separator: " ").last ?? "") ?? -1
            paths[number, default: []].insert(document.log.file.path)
            keys[number, default: []].insert(record.key)
        }
        #expect(
            paths.values.allSatisfy { $0.count == 1 } && keys.values.allSatisfy { $0.count == 1 })
        #expect(Set(paths.values).count == names.count && Set(keys.values).count == names.count)
        for (number, name) in names.enumerated() {
            // What is UTF-8 stands there as it is.
            guard let text = String(validating: name + end, as: UTF8.self) else { continue }
            #expect(paths[number] == [agent.log(text)])
        }
        let entries = try agent.registry()
        #expect(entries.count == names.count && Set(entries.map(\.path)).count == names.count)
        #expect(entries.allSatisfy { $0.lag == 0 })
        // Whatever a name holds, each event is one line of the log.
        let stamps = agent.said.split(separator: "\n").allSatisfy { $0.hasPrefix("20") }
        #expect(stamps, "\(agent.said)")
    }

    /// Adds text to the end of a file with a name that is no String.
    private func write(_ text: String, to name: [UInt8], in directory: String) throws {
        let file = try openForAppending(name, in: directory)
        try file.write(Array(text.utf8))
    }
}
