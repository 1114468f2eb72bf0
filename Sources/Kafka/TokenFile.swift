import Platform

/// The token file of one client: read when the client asks for a token, and every few seconds to
/// see whether it has changed. Whoever rotates a token replaces the file long before it expires.
struct TokenFile {
    /// What reading it came to.
    enum Reading: Hashable, Sendable {
        /// It is the token that the client has.
        case same
        case token(BearerToken)
        /// Why there is none, with the path.
        case fault(String)
    }

    /// Nanoseconds between two looks. One is an open, an fstat and a read.
    static let interval: Int64 = 5_000_000_000

    let source: KafkaSettings.TokenSource
    /// What the client has been given.
    private var given: BearerToken?
    /// When to look again.
    private(set) var dueAt: Int64 = 0

    init(_ source: KafkaSettings.TokenSource) { self.source = source }

    /// Reads it at monotonic `now`. The client `isAsking` where it needs an answer, even if it is
    /// the one that it has; `time` is the wall clock's, milliseconds.
    mutating func read(now: Int64, time: Int64, isAsking: Bool) -> Reading {
        dueAt = now +| Self.interval
        let token: BearerToken
        do throws(SystemError) {
            let contents = try SecretFile.contents(source.path)
            guard contents.count <= SecretFile.longest else {
                return fault("more than 64 KiB, no token")
            }
            do throws(BearerToken.Refusal) {
                token = try BearerToken(contents)
            } catch {
                return fault("\(error)")
            }
        } catch {
            return .fault("\(error)")
        }
        guard token.expiry > time else {
            let since = Timestamp(milliseconds: token.expiry)
            return fault("expired since \(since); is it renewed, and is this clock right?")
        }
        if token == given, !isAsking { return .same }
        given = token
        return .token(token)
    }

    private func fault(_ why: String) -> Reading { .fault("\(source.path): \(why)") }
}

extension KafkaSettings {
    /// Why there is no token to log in with at this moment; nil where there is one, or none is
    /// needed.
    var tokenFault: String? {
        guard let source = sasl?.token else { return nil }
        var file = TokenFile(source)
        let time = Timestamp.now().milliseconds
        guard case .fault(let why) = file.read(now: 0, time: time, isAsking: true) else {
            return nil
        }
        return why
    }
}
