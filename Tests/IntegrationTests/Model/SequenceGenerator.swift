import TestSupport

/// Random sequences that a seed repeats.
struct SequenceGenerator {
    private var random: SplitMix
    private let abilities: Set<Ability>

    init(seed: UInt64, abilities: Set<Ability>) {
        random = SplitMix(seed: seed)
        self.abilities = abilities
    }

    private typealias Make = @Sendable (inout SequenceGenerator) -> Operation

    mutating func sequence() -> [Operation] {
        // Most sequences are about one or two things, and reach deeper for it.
        let choices = Self.choices(abilities)
        let themes = pick(1...3)
        var favourites: [Int] = []
        for _ in 0..<themes { favourites.append(pick(0...choices.count - 1)) }
        let isS6 = pick(0...3) == 0
        var operations: [Operation] = []
        if pick(0...3) > 0 { operations.append(.start) }
        let count = pick(4...24)
        while operations.count < count {
            let index =
                pick(0...2) == 0 ? favourites[pick(0...themes - 1)] : weighted(choices)
            let operation = choices[index].make(&self)
            if operation.isOfS6 == isS6 || operation.isOfAgent { operations.append(operation) }
        }
        return operations
    }

    private struct Choice: Sendable {
        let weight: Int
        let make: Make
    }

    private static func choices(_ abilities: Set<Ability>) -> [Choice] {
        var choices = agent + paths + s6
        if abilities.contains(.copyTruncate) {
            choices.append(
                Choice(weight: 6) { .copyTruncate(log: $0.log(), window: $0.pick(0...4) == 0) })
        }
        if abilities.contains(.compressedArchive) {
            choices.append(Choice(weight: 3) { .compress(log: $0.log()) })
        }
        if abilities.contains(.processor) {
            choices.append(Choice(weight: 4) { _ in .s6Process })
        }
        if abilities.contains(.holes) {
            choices.append(Choice(weight: 2) { .writeInPlace(log: $0.log()) })
        }
        return choices
    }

    private static let agent: [Choice] = [
        Choice(weight: 6) { _ in .start },
        Choice(weight: 2) { _ in .stop },
        Choice(weight: 2) { _ in .kill },
        Choice(weight: 8) { _ in .settle },
        Choice(weight: 8) { _ in .glimpse },
        Choice(weight: 2) { _ in .pauseBroker },
        Choice(weight: 2) { _ in .resumeBroker },
    ]

    private static let paths: [Choice] = [
        Choice(weight: 24) { .write(log: $0.log(), lines: $0.pick(1...6)) },
        Choice(weight: 2) { .writeLong(log: $0.log()) },
        Choice(weight: 1) { .burst(log: $0.log()) },
        Choice(weight: 4) { .beginLine(log: $0.log()) },
        Choice(weight: 4) { .endLine(log: $0.log()) },
        Choice(weight: 4) { .writeLate(log: $0.log()) },
        Choice(weight: 2) { .closeLate(log: $0.log()) },
        Choice(weight: 8) {
            .rotate(
                log: $0.log(), keepsWriter: $0.pick(0...1) == 0, recreates: $0.pick(0...2) > 0)
        },
        Choice(weight: 1) { .prune(log: $0.log()) },
        Choice(weight: 3) { .delete(log: $0.log()) },
        Choice(weight: 2) { .replace(log: $0.log()) },
        Choice(weight: 4) { .truncate(log: $0.log()) },
        Choice(weight: 2) { .moveAway(log: $0.log()) },
        Choice(weight: 2) { .moveBack(log: $0.log()) },
        Choice(weight: 2) { .moveWithin(log: $0.log()) },
        Choice(weight: 1) { _ in .touch },
    ]

    private static let s6: [Choice] = [
        Choice(weight: 20) { .s6Write(lines: $0.pick(1...6)) },
        Choice(weight: 3) { _ in .s6BeginLine },
        Choice(weight: 3) { _ in .s6EndLine },
        Choice(weight: 8) { _ in .s6Rotate },
        Choice(weight: 6) { .s6BeginRotation(recreates: $0.pick(0...3) > 0) },
        Choice(weight: 6) { .s6EndRotation(unlinks: $0.pick(0...3) > 0) },
        Choice(weight: 2) { _ in .s6Crash },
        Choice(weight: 2) { _ in .s6Prune },
    ]

    private mutating func log() -> Int { pick(0...3) == 0 ? 1 : 0 }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    private mutating func weighted(_ choices: [Choice]) -> Int {
        var rest = pick(0...choices.reduce(0) { $0 + $1.weight } - 1)
        for (index, choice) in choices.enumerated() {
            rest -= choice.weight
            if rest < 0 { return index }
        }
        return choices.count - 1
    }
}

extension Operation {
    /// It is about the agent or its surroundings, whatever logs there are.
    var isOfAgent: Bool {
        switch self {
        case .start, .stop, .kill, .settle, .glimpse, .pauseBroker, .resumeBroker, .touch: true
        case .write, .writeLong, .burst, .beginLine, .endLine, .writeLate, .closeLate,
            .writeInPlace, .rotate, .copyTruncate, .compress, .prune, .delete, .replace, .truncate,
            .moveAway, .moveBack, .moveWithin, .s6Write, .s6BeginLine, .s6EndLine, .s6Rotate,
            .s6BeginRotation, .s6EndRotation, .s6Process, .s6Crash, .s6Prune:
            false
        }
    }

    var isOfS6: Bool {
        switch self {
        case .s6Write, .s6BeginLine, .s6EndLine, .s6Rotate, .s6BeginRotation, .s6EndRotation,
            .s6Process,
            .s6Crash, .s6Prune:
            true
        case .start, .stop, .kill, .settle, .glimpse, .pauseBroker, .resumeBroker, .touch, .write,
            .writeLong, .burst, .beginLine, .endLine, .writeLate, .closeLate, .writeInPlace,
            .rotate, .copyTruncate, .compress, .prune, .delete, .replace, .truncate, .moveAway,
            .moveBack, .moveWithin:
            false
        }
    }
}
