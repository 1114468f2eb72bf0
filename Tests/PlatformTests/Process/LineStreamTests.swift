import TestSupport
import Testing

@testable import Platform

@Suite("A stream of lines that nobody reads keeps nobody waiting")
struct LineStreamTests {
    enum Way: CaseIterable {
        /// No machine has a device that stays full. A pipe is asked in the same way.
        case device
        case pipe, sharedPipe, socket, terminal, sharedTerminal

        var kind: ReadLater.Kind {
            switch self {
            case .pipe, .sharedPipe, .device: .pipe
            case .socket: .socket
            case .terminal, .sharedTerminal: .terminal
            }
        }
        private var mayReopen: Bool { self != .sharedPipe && self != .sharedTerminal }

        func stream(_ ends: ReadLater) throws -> LineStream {
            try self == .device
                ? LineStream(ends.writer(), as: .device)
                : LineStream(ends.writer(), mayReopen: mayReopen)
        }

        static let terminals = allCases.filter { $0.kind == .terminal }
        /// Those that every machine has.
        static let everywhere = allCases.filter { $0.kind != .terminal }
    }

    private func line(_ number: Int) -> [UInt8] {
        Array(("\(number) " + String(repeating: "x", count: 1000) + "\n").utf8)
    }

    @Test(
        "A full one refuses whole lines; once it is emptied it takes them again",
        arguments: Way.everywhere)
    func full(way: Way) throws {
        let ends = try ReadLater(way.kind)
        let stream = try way.stream(ends)
        var taken: [Int] = []
        var refused = 0
        for number in 0..<1_000 {
            do throws(SystemError) {
                try stream.write(line(number))
                taken.append(number)
            } catch {
                #expect(error.code == .again)
                refused += 1
            }
        }
        #expect(refused > 0 && taken == Array(0..<taken.count))
        var bytes = ends.read()
        try stream.write(line(7_777))
        bytes += ends.read()
        #expect(bytes == (taken + [7_777]).flatMap(line))
    }

    @Test("Whoever else writes there still waits for room", arguments: Way.everywhere)
    func others(way: Way) throws {
        let ends = try ReadLater(way.kind)
        let stream = try way.stream(ends)
        try stream.write(line(1))
        #expect(ends.isBlocking)
        #expect(ends.read() == line(1))
    }

    @Test("A reader that is gone is an error at once", arguments: Way.everywhere)
    func closed(way: Way) throws {
        let ends = try ReadLater(way.kind)
        let stream = try way.stream(ends)
        ends.closeReader()
        #expect(throws: SystemError.self) { try stream.write(line(1)) }
    }

    @Test(
        "All of that is so of a terminal, too",
        .enabled(if: MachineFacts.hasTerminals, "\(MachineFacts.terminalNeeded)"),
        arguments: Way.terminals)
    func terminal(way: Way) throws {
        try full(way: way)
        try others(way: way)
        try closed(way: way)
    }

    /// What /dev/kmsg is given in one call is one record.
    @Test(
        "A device that is no terminal is given each line in one call", arguments: [false, true])
    func device(isAsked: Bool) throws {
        let null = try Descriptor.open("/dev/null", 1)
        let stream = isAsked ? LineStream(null, as: .device) : try LineStream(null)
        let before = try calls()
        for number in 0..<10 { try stream.write(line(number)) }
        #expect(try calls() == before + 10)
    }

    /// 1. /dev/kmsg, major number 1, takes each line at once, and never says that it has room.
    /// 2. A serial port of a virtual machine waits for its host, and says when it has.
    @Test("A device that is no terminal is asked for room, but for those that need none")
    func asked() throws {
        #expect(LineStream.Way(device: 1) == .asEver)
        for major in [0, 4, 10, 229, 511] as [UInt32] {
            #expect(LineStream.Way(device: major) == .device)
        }
        #expect(try LineStream(Descriptor.open("/dev/null", 1)).way == .asEver)
    }

    /// How often this thread has called write(2) and its like (proc_pid_io(5)).
    private func calls() throws -> Int {
        let text = String(decoding: try readFile("/proc/thread-self/io"), as: UTF8.self)
        let field = text.split(separator: "\n").first { $0.hasPrefix("syscw: ") }
        return try #require(field.flatMap { Int($0.dropFirst("syscw: ".count)) })
    }

    @Test("A regular file takes everything")
    func file() throws {
        let home = try TemporaryDirectory()
        let path = try home.write("log", "")
        let stream = try LineStream(Descriptor.open(path, 1))
        for number in 0..<200 { try stream.write(line(number)) }
        #expect(try readFile(path) == (0..<200).flatMap(line))
    }
}
