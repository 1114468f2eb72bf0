import Platform
import Synchronization
import TestSupport

/// Runs sequences side by side, and makes the first that fails short.
final class ModelCampaign: Sendable {
    /// What was wrong with a sequence, told so that it can be run again.
    struct Failure: Sendable, CustomStringConvertible {
        let seed: UInt64
        let verdict: [String]
        let operations: [Operation]
        let shrunk: [Operation]
        let shrunkVerdict: [String]
        let said: String

        var description: String {
            """
            seed \(seed), \(ModelSetting(seed: seed)): \(verdict.joined(separator: "; "))
              run it again: SHIPPER_MODEL_SEED=\(seed) swift test --filter ModelTests
              its steps: \(Self.list(operations))
              enough of them, \(shrunk.count): \(Self.list(shrunk))
              which say: \(shrunkVerdict.joined(separator: "; "))
              the agent said then:
            \(said)
            """
        }

        private static func list(_ operations: [Operation]) -> String {
            "[" + operations.map { ".\($0)" }.joined(separator: ", ") + "]"
        }
    }

    private struct State {
        var next: Int
        var done = 0
        var isOver = false
        var failures: [Failure] = []
    }

    private let seeds: [UInt64]
    private let abilities: @Sendable (UInt64) -> Set<Ability>
    private let state: Mutex<State>
    private let sequence = Atomic(0)
    /// How long what must come may take, when all is well and when a failure is made short.
    private static let patience = Duration.seconds(10)
    private static let shortPatience = Duration.milliseconds(1500)
    /// A failing sequence depends on moments: it is tried this often before it counts as passed.
    private static let tries = 3
    private static let mostShrinking = 60

    init(seeds: [UInt64], abilities: @escaping @Sendable (UInt64) -> Set<Ability>) {
        self.seeds = seeds
        self.abilities = abilities
        state = Mutex(State(next: 0))
    }

    /// Runs all, one bench for each worker; ends early after `mostFailures`.
    func run(workers: Int, mostFailures: Int) throws -> [Failure] {
        var threads: [SystemThread] = []
        for _ in 0..<min(workers, seeds.count) {
            let bench = try ModelBench()
            threads.append(
                try SystemThread("model") { self.work(bench, mostFailures: mostFailures) })
        }
        for thread in threads { thread.join() }
        return state.withLock { $0.failures }
    }

    var done: Int { state.withLock { $0.done } }

    private func work(_ bench: ModelBench, mostFailures: Int) {
        while let seed = takeSeed(mostFailures) {
            if let failure = check(seed, bench) {
                state.withLock { $0.failures.append(failure) }
            }
            state.withLock { $0.done += 1 }
        }
    }

    private func takeSeed(_ mostFailures: Int) -> UInt64? {
        state.withLock { state in
            guard state.next < seeds.count, state.failures.count < mostFailures else { return nil }
            defer { state.next += 1 }
            return seeds[state.next]
        }
    }

    private func check(_ seed: UInt64, _ bench: ModelBench) -> Failure? {
        var generator = SequenceGenerator(seed: seed, abilities: abilities(seed))
        let operations = generator.sequence()
        let first = play(operations, seed, bench, Self.patience)
        guard !first.verdict.isEmpty else { return nil }
        var last = first
        let shrunk = Shrinker.shrink(operations, limit: Self.mostShrinking) { candidate in
            for _ in 0..<Self.tries {
                let result = play(candidate, seed, bench, Self.shortPatience)
                if !result.verdict.isEmpty {
                    last = result
                    return true
                }
            }
            return false
        }
        return Failure(
            seed: seed, verdict: first.verdict, operations: operations, shrunk: shrunk,
            shrunkVerdict: last.verdict, said: last.said)
    }

    private func play(
        _ operations: [Operation], _ seed: UInt64, _ bench: ModelBench, _ patience: Duration
    ) -> (verdict: [String], said: String) {
        var text = ""
        do {
            let run = try ModelRun(
                bench, sequence: sequence.add(1, ordering: .relaxed).newValue,
                abilities: abilities(seed), setting: ModelSetting(seed: seed), patience: patience)
            defer { text = run.agent.text }
            return (try run.run(operations), run.agent.text)
        } catch {
            return (["\(error)"], text)
        }
    }
}
