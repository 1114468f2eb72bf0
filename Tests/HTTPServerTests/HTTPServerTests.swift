import Platform
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite("HTTP is answered within bounds, whoever asks")
struct HTTPServerTests {
    private static func start(
        limits: HTTPServer.Limits = HTTPServer.Limits()
    ) throws -> HTTPServer {
        try HTTPServer(.loopback(port: 0), limits: limits) { path in
            switch path {
            case "/hello": .text(200, "hello\n")
            case "/large":
                HTTPResponse(
                    status: 200, contentType: "text/x-large",
                    body: [UInt8](repeating: UInt8(ascii: "x"), count: 10_000_000))
            case "/ill": .text(503, "ill\n")
            default: nil
            }
        }
    }

    @Test func somePagesAreForTheLoopbackAlone() throws {
        let server = try HTTPServer(.loopback(port: 0), onlyLocal: ["/own"]) { .text(200, $0) }
        defer { server.stop() }
        #expect(try httpGet(server.address, "/own").body == "/own")
        let served = Served({ .text(200, $0) }, ["/own"])
        let elsewhere = served.response(
            method: "GET", path: "/own", version: "HTTP/1.1", isLocal: { false })
        #expect(elsewhere.status == 403)
        let open = served.response(
            method: "GET", path: "/", version: "HTTP/1.1", isLocal: { false })
        #expect(open.status == 200)
        #expect(!InternetAddress.peerIsLoopback(ofSocket: -1))
    }

    @Test func anAnswerIsReadThatIsOne() throws {
        let server = try Self.start()
        let answer = try #require(try HTTPQuery.get(server.address, "/hello"))
        #expect(answer.status == 200 && answer.body == Array("hello\n".utf8))
        #expect(try HTTPQuery.get(server.address, "/none")?.status == 404)
        // More than it may be.
        #expect(try HTTPQuery.get(server.address, "/large")?.body.count ?? 0 < 5_000_000)
        for text in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 x\r\n\r\n"] {
            #expect(HTTPQuery.answer(Array(text.utf8)) == nil, "\(text)")
        }
        server.stop()
        #expect(throws: SystemError.self) { try HTTPQuery.get(server.address, "/hello") }
    }

    @Test func aPageIsAnsweredWithItsTypeAndLength() throws {
        let server = try Self.start()
        defer { server.stop() }
        #expect(server.address.port != 0 && server.address.host == "127.0.0.1")
        let hello = try httpGet(server.address, "/hello")
        #expect(hello.status == 200 && hello.body == "hello\n")
        #expect(hello.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(hello.headers["content-length"] == "6")
        #expect(hello.headers["connection"]?.lowercased() == "close")
        #expect(try httpGet(server.address, "/ill").status == 503)
        // What follows the question mark is nobody's business.
        #expect(try httpGet(server.address, "/hello?a=b").body == "hello\n")
        let large = try httpGet(server.address, "/large")
        #expect(
            large.body.utf8.count == 10_000_000 && large.headers["content-type"] == "text/x-large")
    }

    @Test func headHasTheHeaderAlone() throws {
        let server = try Self.start()
        defer { server.stop() }
        let head = try httpGet(server.address, "/hello", method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "6")
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
    func otherMethodsAreNotAllowed(method: String) throws {
        let server = try Self.start()
        defer { server.stop() }
        let answer = try httpGet(server.address, "/hello", method: method)
        #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD")
        #expect(answer.body == "only GET and HEAD are answered here\n")
    }

    @Test func aBodyIsNotWaitedFor() throws {
        let server = try Self.start()
        defer { server.stop() }
        let connection = try RawConnection(server.address)
        try connection.send("POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc")
        #expect(HTTPAnswer(try connection.receiveAll())?.status == 405)
    }

    @Test func anotherPathIsNotFound() throws {
        let server = try Self.start()
        defer { server.stop() }
        for path in ["/", "/hello/", "/Hello", "//hello", "/../hello", "/%00", "*"] {
            let answer = try httpGet(server.address, path)
            #expect([400, 404].contains(answer.status), "\(path)")
        }
        #expect(try httpGet(server.address, "/nothing").body == "no such page\n")
    }

    @Test(
        "X6: garbage gets 400, or its connection closed",
        arguments: [
            "garbage\r\n\r\n", "\r\n\r\n\r\n\r\ngarbage\r\n\r\n", "GET\r\n\r\n",
            "GET /hello\r\n\r\n",
            "GET /hello NONSENSE/1.1\r\n\r\n", "GET hello HTTP/1.1\r\nHost: h\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{0}\u{1}\r\n\r\n", "GET /hello HTTP/9.9\r\nHost: h\r\n\r\n",
        ])
    func garbage(text: String) throws {
        var limits = HTTPServer.Limits()
        limits.patience = .milliseconds(200)
        let server = try Self.start(limits: limits)
        defer { server.stop() }
        let connection = try RawConnection(server.address)
        try connection.send(text)
        let answer = try connection.receiveAll()
        if !answer.isEmpty {
            #expect([400, 505].contains(HTTPAnswer(answer)?.status), "\(answer)")
        }
        #expect(try httpGet(server.address, "/hello").status == 200)
    }

    @Test("X6: a request that is too large is refused, and its memory is bounded")
    func large() throws {
        let server = try Self.start()
        defer { server.stop() }
        for text in [
            "GET /" + String(repeating: "a", count: 1_000_000) + " HTTP/1.1\r\n\r\n",
            "GET /hello HTTP/1.1\r\nX: " + String(repeating: "a", count: 1_000_000) + "\r\n\r\n",
            String(repeating: "a", count: 1_000_000),
        ] {
            let connection = try RawConnection(server.address)
            try connection.send(text)
            let answer = try connection.receiveAll()
            if !answer.isEmpty { #expect((HTTPAnswer(answer)?.status ?? 0) >= 400, "\(answer)") }
        }
        #expect(try httpGet(server.address, "/hello").status == 200)
    }

    @Test("X6: a connection ends when its time is over, however slowly it speaks or listens")
    func slow() throws {
        var limits = HTTPServer.Limits()
        limits.patience = .milliseconds(300)
        let server = try Self.start(limits: limits)
        defer { server.stop() }
        let began = Clock.monotonicNanoseconds()
        let silent = try RawConnection(server.address)
        let half = try RawConnection(server.address)
        try half.send("GET /hello HTTP/1.1\r\nHost: ")
        // It asks for more than the kernel's buffers hold, and reads none of it.
        let deaf = try RawConnection(server.address)
        try deaf.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        // One byte more again and again keeps nothing alive.
        let dripping = try RawConnection(server.address)
        try eventually("the dripping connection is closed") { try !dripping.send("G") }
        #expect(Clock.monotonicNanoseconds() - began >= 300_000_000)
        #expect(try silent.receiveAll() == "")
        #expect(try half.receiveAll() == "")
        let part = try deaf.receiveAll()
        #expect(part.hasPrefix("HTTP/1.1 200") && part.utf8.count < 10_000_000)
        #expect(try httpGet(server.address, "/hello").status == 200)
    }

    @Test("X6: at its limit it goes on answering: the oldest silent ones have to go")
    func crowded() throws {
        var limits = HTTPServer.Limits()
        limits.connections = 8
        limits.patience = .seconds(600)
        limits.crowdedPatience = .milliseconds(50)
        let server = try Self.start(limits: limits)
        defer { server.stop() }
        var silent: [RawConnection] = []
        for _ in 0..<40 {
            // Those that the kernel's queue has no room for could only wait for it to try again.
            for _ in 0..<6 { silent.append(try RawConnection(server.address)) }
            #expect(try httpGet(server.address, "/hello").status == 200)
            if silent.count > 60 { silent.removeFirst(6) }
        }
    }

    @Test func anAddressThatIsTakenIsRefusedByItsName() throws {
        let server = try Self.start()
        defer { server.stop() }
        do throws(HTTPError) {
            try HTTPServer(server.address) { _ in nil }.stop()
            Issue.record("two servers listen on one address")
        } catch {
            #expect("\(error)" == "bind \(server.address): Address already in use")
        }
    }

    @Test func afterItsEndThePortIsFreeAndConnectionsAreClosed() throws {
        let server = try Self.start()
        let open = try RawConnection(server.address)
        try open.send("GET /hel")
        server.stop()
        server.stop()
        #expect(try open.receiveAll() == "")
        let next = try HTTPServer(server.address) { _ in .text(200, "next") }
        #expect(try httpGet(next.address, "/").body == "next")
        next.stop()
    }

    @Test func manyAtOnceAreAllAnswered() throws {
        let server = try Self.start()
        defer { server.stop() }
        let address = server.address
        let counter = Counter()
        let threads = try (0..<8).map { _ in
            try SystemThread("asks") {
                do {
                    for _ in 0..<50 {
                        if try httpGet(address, "/hello").body == "hello\n" { counter.add() }
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.value == 400)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }
}
