import Platform

/// Since when files are as they are, as far as was seen: by our clock alone, whatever their times
/// say. Lives on the reader thread.
final class Stillness {
    private struct Item {
        var stamp: LogStream.Stamp
        var since: MonotonicTime
        var asked: MonotonicTime
    }

    private var items: [InodeKey: Item] = [:]
    /// From so many on it is looked for those that nobody asks for any more, so they are at most
    /// twice as many as the files in question.
    private var most = 64
    /// Nanoseconds after which a file that nobody asks for is forgotten.
    private static let memory: Int64 = 180_000_000_000

    /// For how long a file has been seen as it is now, nanoseconds; 0 when it is asked for the
    /// first time.
    func time(of status: FileStatus, _ now: MonotonicTime) -> Int64 {
        let key = InodeKey(status)
        let stamp = LogStream.Stamp(status)
        if var item = items[key], item.stamp == stamp {
            item.asked = now
            items[key] = item
            return now - item.since
        }
        if items.count >= most {
            items = items.filter { now - $0.value.asked < Self.memory }
            most = max(64, 2 * items.count)
        }
        items[key] = Item(stamp: stamp, since: now, asked: now)
        return 0
    }
}
