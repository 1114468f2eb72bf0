import Platform
import Shipper
import TestSupport
import Testing

@Suite("Logs that are larger than what is written to them")
struct PreallocatedTests {
    enum Way: CaseIterable { case written, mapped }

    /// 1. A program makes its log large at once, and fills it from the front.
    /// 2. Zeros behind its last line were taken for a hole, and what came later was never read.
    @Test(
        "Each line of a preallocated log arrives once, over a restart and its cut to its real length",
        arguments: Way.allCases)
    func preallocated(way: Way) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        let source = LineSource("w", payload: 40...300)
        let path = agent.log("a.log")
        let size = 4 << 20
        let map = try MappedFile(path, size: size)
        var (written, end) = (0, 0)
        func write(_ count: Int) throws {
            let text = source.lines(written..<written + count)
            switch way {
            case .mapped: map.put(String(decoding: text, as: UTF8.self), at: end)
            case .written: try overwrite(path, at: end, text)
            }
            (written, end) = (written + count, end + text.count)
        }
        try agent.start()
        for round in 0..<20 {
            try write(50)
            try eventually("round \(round), \(reader.count) of \(written); \(agent.said)") {
                reader.count >= written
            }
            if round % 7 == 6 {
                #expect(try agent.stop() == .code(0))
                try write(10)
                try agent.start()
            }
        }
        try eventually("all but the end; \(agent.said)") { reader.count >= written }
        try Descriptor.open(path, 1).truncate(to: end)
        try appendBytes(source.lines(written..<written + 5), to: path)
        written += 5
        try eventually("the end; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        let documents = try reader.records("logs").map { try $0.document() }
        #expect(difference(documents.map(\.message), source.texts(0..<written)) == nil)
        #expect(Set(documents.map(\.metadata.id)).count == written)
        #expect(Set(documents.map { $0.metadata.id.prefix(16) }).count == 1)
        #expect(try AuditCount.of(broker) == written)
        for words in ["hole skipped", "truncated; ", "bytes lost "] {
            #expect(!agent.said.contains(words))
        }
    }

    @Test("A tail that is cut off, while the agent runs and while it does not, costs nothing")
    func tornTail() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        let source = LineSource("w", payload: 40...300)
        let path = agent.log("a.log")
        try agent.home.write("logs/a.log", source.lines(0..<500))
        var written = 500
        try agent.start()
        for round in 0..<6 {
            try eventually("round \(round); \(agent.said)") { reader.count >= written }
            let size = try FileStatus.glance(at: Array(path.utf8)).size
            try agent.home.append("logs/a.log", "half a li")
            if round % 2 == 0 {
                try agent.home.append("logs/b.log", "beside \(round)\n")
                written += 1
                try eventually("the neighbour; \(agent.said)") { reader.count >= written }
                #expect(try agent.stop() == .code(0))
            }
            try Descriptor.open(path, 1).truncate(to: size)
            try agent.home.append("logs/a.log", "whole \(round)\n")
            written += 1
            if round % 2 == 0 { try agent.start() }
        }
        try eventually("the rest; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        let documents = try reader.records("logs").map { try $0.document() }
            .filter { $0.log.file.path == path }
        #expect(
            documents.map(\.message) == source.texts(0..<500) + (0..<6).map { "whole \($0)" })
        #expect(Set(documents.map { $0.metadata.id.prefix(16) }).count == 1)
        #expect(try AuditCount.of(broker) == written)
        for words in ["truncated; ", "bytes lost "] { #expect(!agent.said.contains(words)) }
    }
}

@Suite("A log that is replaced at its path by its own content")
struct ReplacedFileTests {
    /// `sed -i`, rsync and most editors write a new file and rename it over the old one.
    @Test("Nothing is sent again and ids go on, while the agent runs and while it does not")
    func replaced() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        let source = LineSource("w", payload: 40...300)
        let path = agent.log("a.log")
        try agent.home.write("logs/a.log", source.lines(0..<500))
        var written = 500
        try agent.start()
        let sed = try findProgram("sed", package: "sed")
        for round in 0..<6 {
            try eventually("round \(round); \(agent.said)") { reader.count >= written }
            if round % 2 == 1 { #expect(try agent.stop() == .code(0)) }
            let before = try FileStatus.glance(at: Array(path.utf8)).inode
            let edit = try ChildProcess(sed, ["-i", "s/nothing like it//", path])
            #expect(try edit.wait() == .code(0))
            #expect(try FileStatus.glance(at: Array(path.utf8)).inode != before)
            try appendBytes(source.lines(written..<written + 10), to: path)
            written += 10
            if round % 2 == 1 { try agent.start() }
        }
        try eventually("the rest; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        let documents = try reader.records("logs").map { try $0.document() }
        #expect(difference(documents.map(\.message), source.texts(0..<written)) == nil)
        #expect(Set(documents.map { $0.metadata.id.prefix(16) }).count == 1)
        #expect(try AuditCount.of(broker) == written)
        #expect(try agent.registry().count == 1)
        for words in ["truncated; ", "bytes lost "] { #expect(!agent.said.contains(words)) }
    }

    @Test(
        "A log that is deleted and made anew with the same first lines is read from its beginning")
    func recreated() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        let banner = (0..<20).map { "banner \($0)" }
        var expected: [String] = []
        try agent.start()
        for round in 0..<4 {
            if round > 0 { try remove(agent.log("a.log")) }
            if round == 2 { #expect(try agent.stop() == .code(0)) }
            let lines = banner + ["round \(round)"]
            try agent.home.write("logs/a.log", lines.joined(separator: "\n") + "\n")
            expected += lines
            if round == 2 { try agent.start() }
            try eventually("round \(round); \(agent.said)") { reader.count >= expected.count }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == expected)
        #expect(Set(try reader.records("logs").map { try $0.document().metadata.id }).count == 84)
    }
}
