import Glibc
import Shipper
import TestSupport
import Testing

@Suite("The programs that tests run against are the real ones")
struct WriterTests {
    @Test("A real s6-log rotates, and what it wrote is read back line by line")
    func s6Rotates() throws {
        let home = try TemporaryDirectory()
        let writer = try S6Writer(
            directory: home.path("shop/orders/pod/log"), directives: ["n1000", "s99999999"])
        let source = LineSource("orders")
        for round in 0..<5 {
            let end = (round + 1) * 400
            try writer.writing(source, (end - 400)..<end).join()
            try eventually("\(end) lines are on the disk") {
                try writer.linesOnDisk().count == end
            }
            writer.rotate()
            try writer.waitForArchives(round + 1)
        }
        #expect(try writer.finish() == .code(0))
        var audit = Audit()
        audit.expect(source, lines: 2000)
        for line in try writer.linesOnDisk() { audit.arrived(line) }
        #expect(audit.report.isClean, "\(audit.report)")
    }

    @Test("A killed s6-log is followed by another on the same pipe; SIGALRM rotates")
    func s6Restarts() throws {
        let home = try TemporaryDirectory()
        let writer = try S6Writer(directory: home.path("log"), directives: ["n20", "s1000000"])
        let source = LineSource("w")
        try writer.write(source, 0..<10)
        try eventually("ten lines are on the disk") { try writer.linesOnDisk().count == 10 }
        writer.kill()
        try writer.write(source, 10..<20)
        try writer.restart()
        try eventually("ten more are") { try writer.linesOnDisk().count == 20 }
        #expect(try writer.archives().contains { $0.hasSuffix(".u") })
        writer.rotate()
        try eventually("it has rotated") {
            try writer.archives().contains { $0.hasSuffix(".s") }
        }
        try writer.finish()
    }

    @Test("A mock broker in its own process serves, obeys, stops and goes on")
    func broker() throws {
        let broker = try BrokerProcess(brokers: 2, partitions: 3, topics: ["logs"])
        #expect(broker.address.split(separator: ",").count == 2)
        let kcat = try findProgram("kcat", package: "kcat")
        let listing = try ChildProcess(kcat, ["-L", "-b", broker.address])
        try #require(try listing.wait() == .code(0), "\(listing.errors)")
        #expect(listing.output.contains("topic \"logs\" with 3 partitions"))
        try broker.createTopic("more", partitions: 5)
        #expect(throws: TimedOut.self) { try broker.createTopic("more") }
        #expect(throws: TimedOut.self) { try broker.command("nonsense") }
        broker.pause()
        let producer = try ChildProcess(
            kcat, ["-P", "-b", broker.address, "-t", "logs", "-p", "0"], input: .pipe)
        try producer.write(Array("hello\n".utf8))
        producer.closeInput()
        #expect(throws: TimedOut.self) { try producer.wait(within: .milliseconds(200)) }
        broker.resume()
        #expect(try producer.wait() == .code(0))
        let consumer = try ChildProcess(
            kcat, ["-C", "-b", broker.address, "-t", "logs", "-p", "0", "-e", "-q"])
        #expect(try consumer.wait() == .code(0))
        #expect(consumer.output == "hello\n")
    }

    @Test("A temporary directory is gone with its last reference, full as it is")
    func temporaryDirectory() throws {
        var home: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(home?.path)
        try home?.write("a/b/c", "text")
        try home?.append("a/b/c", " and more")
        #expect(try readFile("\(path)/a/b/c") == Array("text and more".utf8))
        #expect(try home?.names("a") == ["b"])
        home = nil
        #expect(throws: (any Error).self) { try directoryNames(path) }
    }

    @Test("A condition that never comes true is an error that names it")
    func eventuallyEnds() {
        #expect {
            try eventually(within: .milliseconds(5), "pigs fly") { false }
        } throws: {
            "\($0)".contains("pigs fly")
        }
    }
}
