import Kafka
import Model
import Platform

/// Topics of days. A stream is in one of them at a time, and goes on in the next when all that it
/// has sent to the last one is delivered: a position is one place in a file, and whatever was
/// delivered behind a line that waits would come again after a crash.
extension ReaderOutput {
    /// Where records go, and the time, milliseconds since 1970, from which on they go elsewhere.
    typealias Way = (lane: Lane, until: Int64)

    /// Of a stream whose topic is no day's; nil while it has none.
    func way(_ id: StreamID, _ stream: Stream) -> Way? {
        guard let share = share(id, stream) else { return nil }
        return (lane(id, stream, on: share), .max)
    }

    /// Of a line of this time, milliseconds since 1970. Nil while the stream waits, for its topic
    /// or for what went before to be delivered.
    func way(_ id: StreamID, at time: Int64) -> Way? {
        guard let known = streams[id] else { return nil }
        let today = parts.now().day
        if today != self.today { leaveDays(before: today) }
        let day = known.days.day(of: Timestamp(milliseconds: time), today: today)
        guard move(id, to: day, today: today), let stream = streams[id] else { return nil }
        let isFirst = known.days.day != day
        guard let share = share(id, stream, isAgain: !isFirst) else { return nil }
        let until = day < today ? Timestamp(day: day + 1).milliseconds : .max
        return (lane(id, streams[id] ?? stream, on: share), until)
    }

    /// False while the stream has to wait.
    private func move(_ id: StreamID, to day: Int, today: Int) -> Bool {
        guard var stream = streams[id], stream.days.day != day else { return true }
        let last = names(of: stream).topic
        let isInside = stream.days.day != nil && stream.share != nil
        stream.days.day = day
        if isInside, names(of: stream).topic != last {
            guard isDelivered(id) else { return false }
            leaveTopic(id, isOver: stream.days.isLive && day == today)
        }
        streams[id]?.days.day = day
        streams[id]?.days.last = day
        return true
    }

    /// Whether all is delivered that a stream has sent. Where it is not, its reader is woken by
    /// what is delivered next.
    func isDelivered(_ id: StreamID) -> Bool {
        sendTaken()
        // What comes back between a look and the wish to be woken would wake nobody.
        parts.budget.awaitReturn()
        let isEmpty = streams[id]?.lane?.isEmpty ?? true
        streams[id]?.days.awaitsEnd = !isEmpty
        return isEmpty
    }

    /// A new day has begun. The topics of streams that are quiet are needed no more, and would keep
    /// others from theirs.
    private func leaveDays(before today: Int) {
        self.today = today
        sendTaken()
        for id in streams.allKeys {
            guard let stream = streams[id], stream.share != nil, let day = stream.days.day,
                day < today, stream.lane?.isEmpty ?? true
            else { continue }
            leaveTopic(id, isOver: stream.days.isLive)
            streams[id]?.days.day = nil
        }
    }
}
