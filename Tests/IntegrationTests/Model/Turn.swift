import Glibc

/// The processor, for a moment.
enum Turn {
    /// sched_yield(2): whoever else can run does first.
    static func giveUp() { sched_yield() }
}
