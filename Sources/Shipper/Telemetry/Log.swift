package import Platform
internal import Synchronization

/// The structured log of the process: one line for each event, on standard error unless told
/// otherwise.
///
/// Messages are constant, so that they can be searched for and counted; what differs goes into the
/// data. Any thread may log; each line is one write(2) of at most 4,096 bytes, so lines never mix.
/// A standard error that nobody reads does not block the thread that logs (`LineStream`): lines
/// that find no room are counted, and told when one does. What anybody can cause with a file's name
/// or a topic is bounded in lines (`EventLimit`).
package final class Log: Sendable {
    /// How much an event matters; the raw value is its name in lines.
    package enum Level: String, Comparable, Sendable {
        case debug, info, warn, error

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warn: 2
            case .error: 3
            }
        }

        package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
    }

    /// How a line looks.
    package enum Format: Sendable {
        /// `2026-11-23T03:38:00.123Z info  message key=value key="two words"`
        case text
        /// An object with `ts`, `level`, `msg` and then the data.
        case json
    }

    /// A piece of data of an event.
    package enum Value: Hashable, Sendable {
        case text(String)
        /// Text from outside that may be no UTF-8.
        case bytes([UInt8])
        case integer(Int64)
        case flag(Bool)
        /// In seconds, to the millisecond.
        case duration(Duration)
    }

    private struct Fault: Sendable {
        let level: Level
        let message: StaticString
        let data: KeyValuePairs<String, Value>
    }

    private let level: Level
    private let format: Format
    private let wallClock: @Sendable () -> Int64
    private let monotonicClock: @Sendable () -> Int64
    private let sink: @Sendable ([UInt8]) throws(SystemError) -> Void
    private let limit: Mutex<RateLimit<Fault>>
    private let eventLimit: Mutex<EventLimit>
    /// Lines that could not be written and of which the log does not tell yet.
    private let untold = Atomic<Int>(0)
    private let told = Mutex<[String]>([])
    private let lost = Atomic<Int>(0)

    /// `sink` takes whole lines, on the threads that log. The clocks give nanoseconds, the
    /// monotonic one for the rate of repeated faults.
    package init(
        level: Level, format: Format, repeatInterval: Duration = .seconds(30),
        wallClock: @escaping @Sendable () -> Int64 = { Clock.wallNanoseconds() },
        monotonicClock: @escaping @Sendable () -> Int64 = { Clock.monotonicNanoseconds() },
        sink: @escaping @Sendable ([UInt8]) throws(SystemError) -> Void
    ) {
        self.level = level
        self.format = format
        self.wallClock = wallClock
        self.monotonicClock = monotonicClock
        self.sink = sink
        limit = Mutex(RateLimit(interval: repeatInterval))
        eventLimit = Mutex(EventLimit(interval: repeatInterval))
    }

    /// A log on standard error.
    package convenience init(level: Level, format: Format) throws(SystemError) {
        let stream = try LineStream()
        self.init(level: level, format: format) { line throws(SystemError) in
            try stream.write(line)
        }
    }

    /// Whether events of this level are written.
    package func isOn(_ level: Level) -> Bool { level >= self.level }

    /// Lines that could not be written since the start; the next that can be says how many there
    /// were.
    package var linesLost: Int { lost.load(ordering: .relaxed) }

    /// The last lines that are warnings or errors, the oldest first, without their ends.
    var lastFaults: [String] { told.withLock { $0 } }
    private static let mostFaults = 10

    private func remember(_ line: [UInt8]) {
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        told.withLock { told in
            if told.count == Self.mostFaults { told.removeFirst() }
            told.append(text)
        }
    }

    /// For who looks for a fault in the shipper itself.
    package func debug(
        _ message: StaticString, _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        if isOn(.debug) { write(Fault(level: .debug, message: message, data: data())) }
    }

    /// For an operator who wants to know afterwards.
    package func info(
        _ message: StaticString, _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        if isOn(.info) { write(Fault(level: .info, message: message, data: data())) }
    }

    /// For things that go wrong and are dealt with.
    package func warn(
        _ message: StaticString, _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        if isOn(.warn) { write(Fault(level: .warn, message: message, data: data())) }
    }

    /// For things that somebody has to act on.
    package func error(
        _ message: StaticString, _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        if isOn(.error) { write(Fault(level: .error, message: message, data: data())) }
    }

    /// A fault that may come again and again: the first of its `key` is written at once, then one
    /// every 30 s, with `repeated` saying how many were kept back.
    package func fault(
        _ level: Level, key: String, _ message: StaticString,
        _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        guard isOn(level) else { return }
        let fault = Fault(level: level, message: message, data: data())
        let now = monotonicClock()
        switch limit.withLock({ $0.happened(fault, key: key, at: now) }) {
        case .tell(let repeated):
            // Keys are made of names and topics, too.
            if mayTell(fault, in: key, bytes: 0, now) { write(fault, repeated: repeated) }
        case .keepBack: break
        }
    }

    /// An event that anybody can cause with a name: of each message a few lines for a `place`, a
    /// directory or a topic, in 30 s, and then one that says how many were left out. `bytes` are
    /// those it is about.
    package func event(
        _ level: Level, in place: String, bytes: Int = 0, _ message: StaticString,
        _ data: @autoclosure () -> KeyValuePairs<String, Value> = [:]
    ) {
        guard isOn(level) else { return }
        let event = Fault(level: level, message: message, data: data())
        if mayTell(event, in: place, bytes: bytes, monotonicClock()) { write(event) }
    }

    private func mayTell(_ event: Fault, in place: String, bytes: Int, _ now: Int64) -> Bool {
        eventLimit.withLock {
            $0.happened(
                event.message.description, in: place, event.level, bytes: bytes, at: now)
        }
    }

    /// Writes the faults that were kept back and whose 30 s are over, and how many events were left
    /// out. To be called every second or so, and at the end with `all`, whether their time is over
    /// or not.
    package func writeDueFaults(all: Bool = false) {
        let now = monotonicClock()
        for due in limit.withLock({ $0.due(at: now) }) { write(due.fault, repeated: due.repeated) }
        for omission in eventLimit.withLock({ $0.due(at: now, all: all) }) { write(omission) }
        tellMissing()
    }

    private func write(_ omission: EventLimit.Omission) {
        let place = Value.text(omission.place ?? "other places")
        let data: KeyValuePairs<String, Value> =
            omission.bytes > 0
            ? [
                "event": .text(omission.kind), "in": place, "events": .count(omission.count),
                "bytes": .count(omission.bytes),
            ] : ["event": .text(omission.kind), "in": place, "events": .count(omission.count)]
        write(Fault(level: omission.level, message: "events left out of this log", data: data))
    }

    private func write(_ fault: Fault, repeated: Int = 0) {
        tellMissing()
        if !deliver(fault, repeated: repeated) {
            untold.wrappingAdd(1, ordering: .relaxed)
            lost.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Says how many lines found no room, if one does now.
    private func tellMissing() {
        let missing = untold.exchange(0, ordering: .relaxed)
        if missing > 0 {
            let tale = Fault(
                level: .warn, message: "lines of this log could not be written",
                data: ["lines": .integer(Int64(missing))])
            if !deliver(tale, repeated: 0) {
                untold.wrappingAdd(missing, ordering: .relaxed)
            }
        }
    }

    private func deliver(_ fault: Fault, repeated: Int) -> Bool {
        let line = LogLine.render(
            fault.level, fault.message, fault.data, repeated: repeated, at: wallClock(), as: format)
        if fault.level >= .warn { remember(line) }
        do throws(SystemError) {
            try sink(line)
            return true
        } catch {
            // There is no other place to tell it: it is counted, and told when a line gets through.
            return false
        }
    }
}

extension Log.Value: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }

    /// A number of anything that is counted in `Int`.
    package static func count(_ value: Int) -> Log.Value { .integer(Int64(value)) }
}
