import TestSupport
import Testing

@Suite("Whatever happens to log files, what must arrive does, and nothing else", .serialized)
struct ModelTests {
    /// SHIPPER_MODEL_SEED runs one sequence (SHIPPER_MODEL_SEQUENCES times, if that is set too),
    /// SHIPPER_MODEL_SEQUENCES another number of new ones, SHIPPER_MODEL_WORKERS so many side by side.
    /// With SHIPPER_MODEL_ALL they have every ability and every setting.
    @Test("Random sequences of writing, rotating, removing, stopping, killing and waiting")
    func sequences() throws {
        let count = environmentValue("SHIPPER_MODEL_SEQUENCES").flatMap { Int($0) }
        let workers = environmentValue("SHIPPER_MODEL_WORKERS").flatMap { Int($0) } ?? 4
        let hasAll = environmentValue("SHIPPER_MODEL_ALL") != nil
        let seeds: [UInt64]
        if let text = environmentValue("SHIPPER_MODEL_SEED") {
            let seed = try #require(UInt64(text), "SHIPPER_MODEL_SEED is no number: \(text)")
            seeds = Array(repeating: seed, count: count ?? 1)
        } else {
            let first = UInt64.random(in: 0..<1 << 40)
            var chosen: [UInt64] = []
            var seed = first
            while chosen.count < count ?? 200 {
                if hasAll || ModelSetting(seed: seed).isPlain { chosen.append(seed) }
                seed += 1
            }
            seeds = chosen
        }
        let campaign = ModelCampaign(
            seeds: seeds, abilities: { hasAll ? Set(Ability.allCases) : .proven($0) })
        let begin = ContinuousClock.now
        let failures = try campaign.run(workers: workers, mostFailures: 3)
        for failure in failures { Issue.record("\(failure)") }
        if count != nil {
            print("\(campaign.done) sequences in \(begin.duration(to: .now)) from seed \(seeds[0])")
        }
    }
}
