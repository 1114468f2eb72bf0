import Platform

/// The day whose topic a stream is in, where the topic's name has one.
struct StreamDays {
    /// Of its topic, or of the one that it waits for; counted from 1970-01-01 on. Nil before its
    /// next line says which.
    var day: Int?
    /// The one of its last line.
    var last: Int?
    /// It came to its topic on that very day.
    var isLive = false
    /// Its next line is of a later day, and what went before is not delivered yet.
    var awaitsEnd = false

    /// The day that a line of `time` counts for: its own in UTC, but none that is yet to come and
    /// none before that of the line before it. So what an application writes as its time cannot
    /// lead back and forth, and a stream's lines are in the topics of its days in their order.
    /// Where the clock was set back, the days that are yet to come are forgotten.
    func day(of time: Timestamp, today: Int) -> Int {
        let earliest = last.map { $0 <= today ? $0 : .min } ?? .min
        return max(earliest, min(time.day, today))
    }
}
