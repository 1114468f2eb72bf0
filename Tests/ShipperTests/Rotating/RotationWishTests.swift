import Platform
import Synchronization
import TestSupport
import Testing

@testable import Shipper

@Suite("A request by hand")
struct RotationWishTests {
    private let home: TemporaryDirectory

    init() throws { home = try TemporaryDirectory() }

    private func directory() throws -> Descriptor { try Descriptor.open(home.path, O.path) }

    @Test(arguments: [
        RotationWish(), RotationWish(isForced: true), RotationWish(isDry: true),
        RotationWish(isForced: true, isDry: true, pattern: "/var/log/a b/*.log"),
    ])
    func isReadAsItWasWritten(wish: RotationWish) {
        #expect(RotationRequest.parse(String(RotationRequest.text(wish).dropLast())) == wish)
    }

    @Test(arguments: ["", "rotate", "rotate 2 yes no ", "rotate 1 maybe no ", "rotate 1 yes"])
    func isNone(text: String) { #expect(RotationRequest.parse(text) == nil) }

    @Test("the command hears each line and the code, and nothing is left")
    func answered() throws {
        let wish = RotationWish(isForced: true, pattern: "/a/*")
        let heard = Mutex<[String]>([])
        let isServed = Mutex(false)
        let outcome = try RotationRequest.ask(
            wish, in: directory(), patience: .max,
            isThere: { () throws(SystemError) in
                // The agent's turn.
                guard isServed.withLock({ !$0 }) else { return true }
                isServed.withLock { $0 = true }
                try RotationRequest.serve(in: Descriptor.open(home.path, O.path)) { asked in
                    heard.withLock { $0.append("\(asked == wish)") }
                    return RotationWish.Answer(lines: ["one", ". 0"], isFault: true)
                }
                return true
            },
            say: { line throws(SystemError) in heard.withLock { $0.append(line) } })
        #expect(outcome == .answered(code: 1))
        #expect(heard.withLock { $0 } == ["true", "The agent has this to say:", "one", ". 0"])
        #expect(try home.names().isEmpty)
    }

    @Test("an agent that ends, or says nothing")
    func silent() throws {
        let say: (String) throws(SystemError) -> Void = { _ in }
        #expect(
            try RotationRequest.ask(
                RotationWish(), in: directory(), patience: .max,
                isThere: { () throws(SystemError) in false }, say: say) == .isSilent)
        #expect(
            try RotationRequest.ask(
                RotationWish(), in: directory(), patience: 0,
                isThere: { () throws(SystemError) in true }, say: say) == .isSilent)
        #expect(try home.names().isEmpty)
    }

    @Test("one that nobody waits for is removed; one of a command that was killed makes room")
    func stale() throws {
        _ = try home.write("rotate.request", "rotate 1 yes no \n")
        try RotationRequest.serve(in: directory()) { _ in
            Issue.record("it is served")
            return RotationWish.Answer()
        }
        #expect(try home.names().isEmpty)
        _ = try home.write("rotate.request", "rotate 1 yes no \n")
        let isBusy = Mutex(false)
        let outcome = try RotationRequest.ask(
            RotationWish(), in: directory(), patience: .max,
            isThere: { () throws(SystemError) in
                // Another command, meanwhile.
                let other = try RotationRequest.ask(
                    RotationWish(), in: Descriptor.open(home.path, O.path), patience: 0,
                    isThere: { () throws(SystemError) in false },
                    say: { _ throws(SystemError) in })
                isBusy.withLock { $0 = other == .isBusy }
                return false
            }, say: { _ throws(SystemError) in })
        #expect(outcome == .isSilent && isBusy.withLock { $0 })
        #expect(try home.names().isEmpty)
    }

    /// 1. A command asks; the agent begins.
    /// 2. The command is killed, and another one puts its request there.
    /// 3. What the agent says to the first one would be the second one's answer.
    @Test("an answer goes to the request that it is of, and to none that has its place by then")
    func another() throws {
        let place = try directory()
        let first = try place.makeFile(RotationRequest.name)
        #expect(try first.lock())
        try first.write(Array(RotationRequest.text(RotationWish(isDry: true)).utf8))
        let text = RotationRequest.text(RotationWish(isForced: true))
        let second = try place.makeFile(Array("beside".utf8))
        #expect(try second.lock())
        try second.write(Array(text.utf8))
        try RotationRequest.serve(in: place) { wish in
            #expect(wish == RotationWish(isDry: true))
            #expect(throws: Never.self) {
                try rename(home.path("beside"), home.path("rotate.request"))
            }
            return RotationWish.Answer(lines: ["would be rotated"])
        }
        #expect(try readFile(home.path("rotate.request")) == Array(text.utf8))
        #expect(try first.read(count: 1_000, at: 0).suffix(4) == Array(". 0\n".utf8))
        // It is answered itself.
        try RotationRequest.serve(in: place) { wish in
            #expect(wish == RotationWish(isForced: true))
            return RotationWish.Answer(lines: ["rotated"], isFault: true)
        }
        let answer = String(decoding: try readFile(home.path("rotate.request")), as: UTF8.self)
        #expect(answer.hasPrefix(text) && answer.hasSuffix("= rotated\n. 1\n"), "\(answer)")
    }

    @Test("an answer of more than one read is known as ended")
    func long() throws {
        let place = try directory()
        let file = try place.makeFile(RotationRequest.name)
        #expect(try file.lock())
        try file.write(Array(RotationRequest.text(RotationWish()).utf8))
        try RotationRequest.serve(in: place) { _ in
            RotationWish.Answer(lines: (0..<1_000).map { "log \($0) was rotated" })
        }
        let size = try file.status().size
        #expect(size > 16_384)
        try RotationRequest.serve(in: place) { _ in
            Issue.record("it is served")
            return RotationWish.Answer()
        }
        #expect(try file.status().size == size)
    }

    @Test("what a killed agent has answered in part is ended, and not begun anew")
    func partial() throws {
        let isServed = Mutex(0)
        let heard = Mutex<[String]>([])
        let outcome = try RotationRequest.ask(
            RotationWish(), in: directory(), patience: .max,
            isThere: { () throws(SystemError) in
                let turn = isServed.withLock { turn in
                    turn += 1
                    return turn
                }
                let place = try Descriptor.open(home.path, O.path)
                if turn == 1 {
                    try place.appendable(named: "rotate.request").write(Array("= begun\n".utf8))
                } else if turn == 2 {
                    try RotationRequest.serve(in: place) { _ in
                        Issue.record("it is served")
                        return RotationWish.Answer()
                    }
                }
                return true
            },
            say: { line throws(SystemError) in heard.withLock { $0.append(line) } })
        #expect(outcome == .answered(code: 1))
        #expect(heard.withLock { $0 }.first == "begun")
    }
}
