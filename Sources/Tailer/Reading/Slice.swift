import Platform

/// The time that one piece of work may take before others have their turn.
struct Slice {
    private let end: MonotonicTime
    private var steps = 0

    /// Small steps between two looks at the clock.
    private static let stepsPerLook = 32

    init(until end: MonotonicTime) { self.end = end }

    /// For who has nobody to wait for it.
    static let endless = Slice(until: .never)

    /// After a step that takes about as long as a look at the clock, or many times as long.
    var isOver: Bool { end != .never && MonotonicTime.now() >= end }

    /// After one of very many small steps: looks at the clock now and then.
    mutating func isOverAfterStep() -> Bool {
        steps += 1
        return steps % Self.stepsPerLook == 0 && isOver
    }
}
