import Platform

/// Whether the names of a log's rotated files tell their order. A pure value.
///
/// Names are made by whoever rotates, and only mostly by what we take for the rule:
///
/// 1. logrotate moves `app.log.1` on to `app.log.2`. log4j2 and others count up: the next one is
///    `app.log.2`, and the JDK begins at 0 again after the last.
/// 2. An hour in a name is no number, local time jumps back in autumn, and 20102026 is a day.
///
/// So names are believed as long as the files' times, which rotation and compressors keep, do not
/// say otherwise of as many neighbours as they agree of.
///
/// 1. The kubelet gives a log the date of its rotation, and compresses the one before that first;
///    what it makes has the time at which it was made.
/// 2. The log that it rotates then was written to a moment ago, or an hour.
///
/// So a compressed file with a later time than the plain one that comes after it by date says
/// nothing.
struct NameOrder {
    private var numbers: [(order: Int, modified: FileTime)] = []
    private var dates: [(order: Date, modified: FileTime)] = []
    private var others = 0

    private struct Date {
        let bytes: [UInt8]
        let isPacked: Bool
    }

    /// Files that are asked. Of more, the first ones stand for all.
    private static let most = 2_048

    mutating func add(_ name: RotatedName, modified: FileTime) {
        switch name.order {
        // The larger, the older.
        case .number(let number):
            if numbers.count < Self.most { numbers.append((-number, modified)) }
        case .date(let bytes):
            let date = Date(bytes: bytes, isPacked: name.isPacked)
            if dates.count < Self.most { dates.append((date, modified)) }
        case .unknown: others += 1
        }
    }

    var tells: Bool {
        if numbers.isEmpty {
            return Self.agrees(dates) {
                $0.bytes.lexicographicallyPrecedes($1.bytes)
            } saysNothing: {
                $0.isPacked && !$1.isPacked
            }
        }
        return dates.isEmpty && others == 0 && Self.agrees(numbers, by: <)
    }

    private static func agrees<Order>(
        _ files: [(order: Order, modified: FileTime)], by isOlder: (Order, Order) -> Bool,
        saysNothing: (Order, Order) -> Bool = { _, _ in false }
    ) -> Bool {
        let sorted = files.sorted { isOlder($0.order, $1.order) }
        var (agreeing, contradicting) = (0, 0)
        for (older, newer) in zip(sorted, sorted.dropFirst())
        where isOlder(older.order, newer.order) {
            if older.modified < newer.modified { agreeing += 1 }
            if older.modified > newer.modified, !saysNothing(older.order, newer.order) {
                contradicting += 1
            }
        }
        return contradicting == 0 || contradicting < agreeing
    }
}
