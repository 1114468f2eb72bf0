import Platform
import Settings
import Synchronization

/// What is asked and told of changed configurations: asked by a signal, carried out by the main
/// thread, told over HTTP. Sendable; any thread.
final class Reloads: Sendable {
    /// What came of one; the raw value is the label of the metric.
    enum Result: String, CaseIterable, Sendable {
        /// The new configuration runs.
        case applied
        /// It means the same as the one that runs.
        case unchanged
        /// It is wrong, or cannot be started: the old one runs.
        case refused
    }

    private struct State {
        var pipeline: Pipeline?
        var isAsked = false
        var isTaken = false
        var asked = 0
        var counts: [Result: Int] = [:]
        var refusal: String?
        var hash: UInt64?
    }
    private let state = Mutex(State())

    /// The configuration is to be read again. Several calls before `take` are one.
    func ask() {
        let pipeline = state.withLock { state in
            state.isAsked = true
            state.asked +|= 1
            return state.pipeline
        }
        pipeline?.askForAttention()
    }

    /// Whether it was asked for since the last call.
    func take() -> Bool {
        state.withLock { state in
            defer { state.isAsked = false }
            if state.isAsked { state.isTaken = true }
            return state.isAsked
        }
    }

    /// How often it was asked for.
    var asked: Int { state.withLock { $0.asked } }

    /// What was taken is done with.
    func finish() { state.withLock { $0.isTaken = false } }

    /// Whether one is asked for, or carried out.
    var isUnderWay: Bool { state.withLock { $0.isAsked || $0.isTaken } }

    /// Whether the next `take` will say yes.
    var isAsked: Bool { state.withLock { $0.isAsked } }

    /// This pipeline runs, with a configuration of this hash; whoever waits for its end is told of
    /// requests.
    func follow(_ pipeline: Pipeline, _ settings: Settings) {
        let hash = Self.hash(of: settings)
        let isAsked = state.withLock { state in
            state.pipeline = pipeline
            state.hash = hash
            return state.isAsked
        }
        if isAsked { pipeline.askForAttention() }
    }

    /// There is no pipeline for now.
    func unfollow() { state.withLock { $0.pipeline = nil } }

    /// `refusal` says why the newest configuration does not run; nil where it does.
    func note(_ result: Result, refusal: String? = nil) {
        state.withLock { state in
            state.counts[result, default: 0] +|= 1
            state.refusal = refusal
        }
    }

    /// Why the newest configuration does not run; nil where it does.
    var refusal: String? { state.withLock { $0.refusal } }
    /// How often each came out.
    var counts: [Result: Int] { state.withLock { $0.counts } }
    /// Of the configuration that runs; nil before there is one.
    var hash: UInt64? { state.withLock { $0.hash } }

    /// The same for all nodes of a fleet that have the same configuration, and exact as a `Double`:
    /// of the first 48 bits of SHA-256 over all that it means, without the node's name and secrets.
    static func hash(of settings: Settings) -> UInt64 {
        let text = settings.described(withNode: false)
        return Digest.id64(Array(text.utf8).span) >> 16
    }
}
