import CRdkafka
import Platform

extension TokenFile {
    /// Reads it, and gives what it holds to `client`, or says to that why there is none: then it
    /// keeps the token that it has, and asks again in 10 s. Returns why there is none.
    mutating func renew(of client: OpaquePointer, isAsking: Bool) -> String? {
        let reading = read(
            now: Clock.monotonicNanoseconds(), time: Timestamp.now().milliseconds,
            isAsking: isAsking)
        let fault: String
        switch reading {
        case .same: return nil
        case .token(let token):
            guard let refusal = unsafe token.give(to: client, source.extensions) else { return nil }
            fault = "\(source.path): \(refusal)"
        case .fault(let why): fault = why
        }
        unsafe rd_kafka_oauthbearer_set_token_failure(client, fault)
        return fault
    }

    /// What the client repeats of a `fault` that it was told of.
    static let echo = "Failed to acquire SASL OAUTHBEARER token"
}

extension BearerToken {
    /// Nil where it was taken, and else the reason, which repeats nothing of the token.
    @unsafe fileprivate func give(
        to client: OpaquePointer, _ extensions: [KafkaSettings.Property]
    ) -> String? {
        // librdkafka copies keys and values, which only have to stand while it is called.
        let pairs = extensions.flatMap { [$0.name, $0.value] }.map { Array($0.utf8CString) }
        var text = ErrorText()
        let code = unsafe withAddresses(of: pairs[...], []) { addresses in
            var addresses = unsafe addresses
            return unsafe addresses.withUnsafeMutableBufferPointer { addresses in
                unsafe text.fill { text, size in
                    unsafe rd_kafka_oauthbearer_set_token(
                        client, self.text, expiry, subject, addresses.baseAddress,
                        addresses.count, text, size)
                }
            }
        }
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : text.string
    }

    @unsafe private func withAddresses<R>(
        of texts: ArraySlice<[CChar]>, _ known: [UnsafePointer<CChar>?],
        _ body: ([UnsafePointer<CChar>?]) -> R
    ) -> R {
        guard let first = texts.first else { return unsafe body(known) }
        return unsafe first.withUnsafeBufferPointer { first in
            unsafe withAddresses(of: texts.dropFirst(), known + [first.baseAddress], body)
        }
    }
}
