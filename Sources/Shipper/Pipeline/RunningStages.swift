/// The stages that run, in the order of their start, to be stopped in the reverse one: those
/// before a stage that could not be started, or all of them at the end. What a stage gives up
/// stands beside its start.
///
/// `Ending` is what those are told that stop, and what they tell. Used by one thread at a time.
struct RunningStages<Ending>: Sendable {
    private var stops: [@Sendable (inout Ending) -> Void] = []

    /// Starts one more. What cannot be started leaves nothing itself, and throws what `told` makes
    /// of its error.
    mutating func start<Stage: Sendable, Failure: Error, Told: Error>(
        orThrow told: (Failure) -> Told, _ start: () throws(Failure) -> Stage,
        stop: @escaping @Sendable (Stage, inout Ending) -> Void
    ) throws(Told) -> Stage {
        let stage: Stage
        do throws(Failure) {
            stage = try start()
        } catch {
            throw told(error)
        }
        stops.append { stop(stage, &$0) }
        return stage
    }

    /// Stops all, the last one first, and forgets them: a second call stops nothing.
    mutating func stop(_ ending: inout Ending) {
        while let stop = stops.popLast() { stop(&ending) }
    }
}
