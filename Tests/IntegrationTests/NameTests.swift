import Model
import Platform
import Synchronization
import Tailer
import TestSupport
import Testing

@Suite("Whatever files and directories are called")
struct NameTests {
    /// All within 255 bytes.
    private static let names: [[UInt8]] = [
        Array("new\nline\r\t.log".utf8), Array(#"quo"te'\back.log"#.utf8),
        Array("{pod}*?[a].log".utf8),
        Array(" -rf $(id) ; `x`.log".utf8), Array("\u{1}\u{7F}\u{1B}[31m.log".utf8),
        Array("\u{65e5}\u{672c}\u{8a9e} \u{1F600}.log".utf8),
        // One character in two spellings: two files.
        Array("e\u{301}.log".utf8), Array("\u{e9}.log".utf8),
        [0xFF, 0xFE] + Array(".log".utf8), [0xC3] + Array(".log".utf8),
        [0xED, 0xA0, 0x80, 0xC0, 0xAF] + Array(".log".utf8),
        // A name that is spelled as the text of another one.
        Array(#"\xff\xfe.log"#.utf8), Array(#"\x5cxff.log"#.utf8),
        [UInt8](repeating: 0xFF, count: 251) + Array(".log".utf8),
        [UInt8](repeating: UInt8(ascii: "\""), count: 251) + Array(".log".utf8),
        Array((String(repeating: "\u{e9}", count: 125) + "x.log").utf8),
    ]
    private static let directories: [[UInt8]] = [
        Array("plain".utf8), Array("two\nlines".utf8), [0x70, 0xFF, 0x22],
    ]

    @Test(
        "X7: newlines, quotes, invalid UTF-8, 255 bytes: right in documents and registry, sent once"
    )
    func hostileNames() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/*.log", input: "fields: {f: x}",
            kafka: #"topic: logs, key: "{pod}""#)
        let places = Self.directories.flatMap { directory in
            Self.names.map { (directory: directory, name: $0) }
        }
        func path(_ place: (directory: [UInt8], name: [UInt8])) -> [UInt8] {
            Array(agent.log("").utf8) + place.directory + [UInt8(ascii: "/")] + place.name
        }
        for directory in Self.directories {
            try makeDirectory(named: Array(agent.log("").utf8) + directory)
        }
        func append(_ round: Int) throws {
            for (index, place) in places.enumerated() {
                try appendBytes(Array("\(index) \(round)\n".utf8), toName: path(place))
            }
        }
        func audit(rounds: Int) throws {
            let documents = try reader.records.map { (try $0.document(), $0.key) }
            #expect(documents.count == places.count * rounds)
            for (index, place) in places.enumerated() {
                let mine = documents.filter { $0.0.message.hasPrefix("\(index) ") }
                #expect(mine.map(\.0.message) == (0..<rounds).map { "\(index) \($0)" })
                for (document, key) in mine {
                    // Compared by bytes: Swift takes two spellings of a character for equal.
                    #expect(PathText.bytes(of: document.log.file.path) == path(place))
                    #expect(key == Array(PathText.text(place.directory).utf8))
                }
            }
        }

        try append(0)
        try agent.start()
        try eventually("every file's first line; \(agent.said)") {
            reader.count >= places.count
        }
        try append(1)
        try eventually("every file's second line; \(agent.said)") {
            reader.count >= 2 * places.count
        }
        #expect(try agent.stop() == .code(0))
        try audit(rounds: 2)

        // The registry holds each name so that it can be had back from it.
        let entries = try agent.registry()
        #expect(entries.count == places.count)
        #expect(entries.allSatisfy { $0.lag == 0 })
        #expect(Set(entries.map { PathText.bytes(of: $0.path) }) == Set(places.map(path)))
        #expect(entries.allSatisfy { $0.stream.utf8.elementsEqual($0.path.utf8) })

        // Nothing is sent again, and what grew meanwhile is.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(reader.count == 2 * places.count)
        try append(2)
        try agent.start()
        try eventually("every file's third line; \(agent.said)") {
            reader.count >= 3 * places.count
        }
        #expect(try agent.stop() == .code(0))
        try audit(rounds: 3)
        #expect(!agent.said.contains("bytes lost") && !agent.said.contains("refused"))
        // A name cannot end a line of the log and begin one of its own.
        for line in agent.said.split(separator: "\n") {
            #expect(line.hasPrefix("20"), "\(line)")
        }
    }

    @Test(
        "X2: a directory swapped for a link all the time: never a byte from outside",
        arguments: [false, true])
    func swapped(withoutOpenat2: Bool) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let pods = 30
        let agent = try Agent(
            broker.address, path: "{pod}/log/x.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        for pod in 0..<pods {
            try agent.home.write("outside/\(pod)/log/x.log", "outside \(pod)\n")
            try agent.home.write("logs/\(pod)/log/x.log", "inside \(pod) 0\n")
            try makeLink(
                agent.home.path("link-\(pod)"), to: agent.home.path("outside/\(pod)"))
        }
        let home = agent.home
        let isOver = Shared(false)
        let problem = Shared<String?>(nil)
        let swaps = Shared(0)
        let swapper = try SystemThread("swapper") {
            do {
                while !isOver.current {
                    for pod in 0..<pods {
                        try exchange(home.path("logs/\(pod)"), home.path("link-\(pod)"))
                    }
                    swaps.with { $0 += pods }
                }
            } catch {
                problem.with { $0 = "\(error)" }
            }
        }
        defer {
            isOver.with { $0 = true }
            swapper.join()
        }
        try agent.start(wrapper: withoutOpenat2 ? try refusing("openat2") : [])
        let end = ContinuousClock.now + .seconds(5)
        var round = 0
        try eventually("five seconds of it; \(agent.said)") {
            round += 1
            for pod in 0..<pods {
                // Whichever of both it is at the moment.
                let text = "outside \(pod) \(round)\n"
                try agent.home.append("outside/\(pod)/log/x.log", text)
            }
            return ContinuousClock.now >= end
        }
        isOver.with { $0 = true }
        swapper.join()
        #expect(problem.current == nil)
        #expect(swaps.current > 1_000)
        // At the end everything is in its place, and is read there.
        for pod in 0..<pods where linkTarget(home.path("logs/\(pod)")) != nil {
            try exchange(home.path("logs/\(pod)"), home.path("link-\(pod)"))
        }
        for pod in 0..<pods { try agent.home.append("logs/\(pod)/log/x.log", "inside \(pod) 1\n") }
        let expected = (0..<pods).flatMap { ["inside \($0) 0", "inside \($0) 1"] }.sorted()
        try eventually(
            "what is inside; not \(Set(expected).subtracting(reader.texts())); \(agent.said)"
        ) {
            Set(reader.texts()).isSuperset(of: expected)
        }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts().sorted() == expected, "\(agent.said)")
    }
}
