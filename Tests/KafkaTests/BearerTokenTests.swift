import Platform
import TestSupport
import Testing

@testable import Kafka

@Suite("Tokens of OAUTHBEARER and the file that they stand in")
struct BearerTokenTests {
    private func refusal(_ text: String) -> String? {
        do throws(BearerToken.Refusal) {
            _ = try BearerToken(Array(text.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a token is what stands in the file, with its subject and its time to the millisecond")
    func reads() throws {
        // Subjects of three lengths, so that base64url ends in each way that it can.
        for subject in ["a", "ab", "abc"] {
            let token = UnsignedToken(
                claims: #"{"aud":["kafka"],"sub":"\#(subject)","exp":1764460800.25,"x":{"y":[1]}}"#
            ).text
            let read = try BearerToken(Array("  \(token)\r\n".utf8))
            #expect(read.text == token)
            #expect(read.subject == subject)
            #expect(read.expiry == 1_764_460_800_250)
        }
        // As RFC 7519 signs one.
        let signed = try BearerToken(
            Array("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLCJleHAiOjEzMDA4MTkzODB9.dBjf_-z".utf8))
        #expect(signed.expiry == 1_300_819_380_000 && signed.subject.isEmpty)
    }

    @Test("what is no token is told in words that repeat nothing of it")
    func refuses() {
        func token(_ claims: String) -> String { UnsignedToken(claims: claims).text }
        #expect(refusal(" \n") == "empty; expected a token")
        #expect(
            refusal("geheim")
                == "not a JWT: it has 1 parts with dots between them, expected 3")
        #expect(
            refusal("a.b.c.d.e")
                == "not a JWT: it has 5 parts with dots between them, expected 3")
        for text in ["a b.c.d", "a.b=.c", "a.b\u{e9}.c", "a\n.b.c", "a+.b.c"] {
            #expect(refusal(text) == "not a JWT: it has a character that base64url has not")
        }
        #expect(refusal("a.geheim123.c") == "not a JWT: its second part is not base64url")
        for claims in [
            "", "geheim", "[]", "{}", #"{"exp":"geheim"}"#, #"{"exp":null}"#, #"{"exp":1"#,
            #"{"exp":1,"sub":7}"#, String(repeating: "[", count: 20_000),
            String(repeating: #"{"exp":"#, count: 5_000),
        ] {
            #expect(
                refusal(token(claims))
                    == "not a JWT: its second part is no JSON object with a time exp", "\(claims)")
        }
        for number in ["0", "-1", "1e300", "253402300800", "18446744073709551616"] {
            #expect(refusal(token(#"{"exp":\#(number)}"#)) == "not a JWT: its exp is no time")
        }
    }

    /// Bytes of an attacker's choice must not trap.
    @Test("random bytes are a token or none")
    func random() {
        var numbers = SplitMix(seed: 15)
        let alphabet = Array("ABYZabyz0189-_..=+ {}\":\n\u{0}".utf8)
        for _ in 0..<20_000 {
            let count = Int(numbers.next() % 40)
            let bytes = (0..<count).map { _ in
                alphabet[Int(numbers.next() % UInt64(alphabet.count))]
            }
            _ = refusal(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("a file is a token for who asks, and afterwards only when it has changed")
    func file() throws {
        let home = try TemporaryDirectory()
        let path = home.path("token")
        var file = TokenFile(.init(path: path))
        func read(_ now: Int64, isAsking: Bool = false) -> TokenFile.Reading {
            file.read(now: now, time: 1_000_000, isAsking: isAsking)
        }
        #expect(file.dueAt == 0)
        #expect(read(7) == .fault("open \(path): No such file or directory"))
        #expect(file.dueAt == 7 + 5_000_000_000)

        let first = UnsignedToken(subject: "one", expires: 2_000).text
        try home.write("token", first + "\n")
        let token = try BearerToken(Array(first.utf8))
        #expect(read(8) == .token(token))
        #expect(read(9) == .same)
        #expect(read(10, isAsking: true) == .token(token))

        let second = UnsignedToken(subject: "two", expires: 3_000).text
        try home.write("token", second)
        #expect(read(11) == .token(try BearerToken(Array(second.utf8))))

        // What is wrong with it now takes nothing away, and is over when it is right again.
        try home.write("token", UnsignedToken(subject: "two", expires: 1_000).text)
        let expired = TokenFile.Reading.fault(
            "\(path): expired since 1970-01-01T00:16:40.000Z; is it renewed, and is this clock right?"
        )
        #expect(read(12) == expired)
        #expect(read(13, isAsking: true) == expired)
        try home.write("token", "geheim")
        #expect(
            read(14)
                == .fault("\(path): not a JWT: it has 1 parts with dots between them, expected 3"))
        try home.write("token", String(repeating: "a", count: 64 << 10 + 1))
        #expect(read(15) == .fault("\(path): more than 64 KiB, no token"))
        try home.write("token", second)
        #expect(read(16) == .same)
    }

    @Test("a directory, a FIFO or nothing at all is told with its path and errno")
    func strange() throws {
        let home = try TemporaryDirectory()
        var file = TokenFile(.init(path: home.path("")))
        guard case .fault(let why) = file.read(now: 0, time: 0, isAsking: true) else {
            Issue.record("a directory is no token")
            return
        }
        #expect(why.hasPrefix("open \(home.path(""))") && why.contains("directory"), "\(why)")
    }

    @Test("librdkafka takes the mechanism, and extensions that the settings let through")
    func client() throws {
        let home = try TemporaryDirectory()
        let path = try home.write(
            "token", UnsignedToken(subject: "s", expires: 4_000_000_000).text)
        var settings = KafkaSettings(brokers: ["127.0.0.1:1"])
        settings.sasl = .init(
            mechanism: "OAUTHBEARER",
            token: .init(path: path, extensions: [.init("logicalCluster", "lkc-1 a")]))
        #expect(settings.faults().isEmpty)
        #expect(
            settings.doubts.contains {
                $0.contains("OAUTHBEARER without tls: the token goes over the network as it is")
            })
        #expect(settings.tokenFault == nil)
        let witness = Witness()
        let producer = try Producer(settings: settings, handler: { _ in }, observer: witness)
        defer { #expect(producer.stop(deadline: .zero) == 0) }
        // Had the client not taken it, it would not come as far as to connect.
        try eventually("it was refused by nobody there; \(witness.events)") {
            witness.events.contains { $0.contains("Connection refused") }
        }
        #expect(!witness.events.contains { $0.contains("token") }, "\(witness.events)")

        settings.sasl?.token?.path = home.path("missing")
        #expect(
            settings.doubts.contains {
                $0.hasPrefix("sasl.token_file: open \(home.path("missing")): No such file")
            })
    }
}
