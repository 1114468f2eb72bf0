internal import CTestSupport
internal import Platform

/// What stands between clients of Kafka and a broker on this machine, at a port of its own, and does
/// them harm when a test says so. It ends, with its connections, with the last reference. Any thread
/// may use it.
@safe
package final class KafkaProxy: Sendable {
    private nonisolated(unsafe) let proxy: OpaquePointer
    private let port: UInt16

    /// Takes connections, and leads them to this port of 127.0.0.1.
    init(to target: UInt16) throws(SystemError) {
        var port: UInt16 = 0
        guard let proxy = unsafe ctest_proxy_start(target, &port) else {
            throw SystemError("listen", path: "127.0.0.1:0", code: .last)
        }
        unsafe self.proxy = proxy
        self.port = port
    }

    deinit { unsafe ctest_proxy_stop(proxy) }

    package var address: String { "127.0.0.1:\(port)" }

    /// Leads connections to another port from now on. Those that there are stay.
    func lead(to target: UInt16) { unsafe ctest_proxy_lead(proxy, target) }

    /// Resets all connections (RST), on both sides, wherever they are in a request.
    package func reset() { unsafe ctest_proxy_reset(proxy) }

    /// Of the next produce requests, so many, the broker gets a half; then the connection is reset.
    package func cutRequests(_ count: Int) {
        unsafe ctest_proxy_cut_requests(proxy, Int32(count))
    }

    /// The broker gets and acknowledges the next produce requests, so many; what the client hears of
    /// each is that the connection is reset.
    package func cutAnswers(_ count: Int) { unsafe ctest_proxy_cut_answers(proxy, Int32(count)) }

    /// Whether answers to questions for metadata are lost from now on; all else goes on.
    package func loseMetadata(_ isLost: Bool) {
        unsafe ctest_proxy_lose_metadata(proxy, isLost ? 1 : 0)
    }

    /// Requests and answers that were cut so far.
    package var cut: Int { counts.cut }
    /// Answers that were lost so far.
    package var lost: Int { counts.lost }

    private var counts: (cut: Int, lost: Int) {
        var cut: Int64 = 0
        var lost: Int64 = 0
        unsafe ctest_proxy_counts(proxy, &cut, &lost)
        return (Int(cut), Int(lost))
    }
}
