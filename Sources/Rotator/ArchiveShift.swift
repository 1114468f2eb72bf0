import Platform

/// What is done to numbered archives, so that the number 1 is free: `app.log.1` becomes
/// `app.log.2`, and so on.
///
/// They move up as far as there is no gap, and no further: who is killed in between leaves a gap,
/// and goes on there. So nothing is moved twice, and no archive is removed for one that is there.
package struct ArchiveShift: Hashable, Sendable {
    /// One change of a name. They are made in order.
    package enum Move: Hashable, Sendable {
        case remove([UInt8])
        case rename([UInt8], to: [UInt8])
    }

    /// The endings that an archive may have behind its number.
    private static let endings = ["", ".gz"]
    /// Digits of a number: more than anybody keeps.
    private static let mostDigits = 6

    /// The name of the archive with that number.
    package static func name(_ log: [UInt8], _ number: Int, ending: String = "") -> [UInt8] {
        log + Array(".\(number)\(ending)".utf8)
    }

    /// The moves among `names`, of which `keep` archives may stay after one more has come.
    package static func moves(of log: [UInt8], among names: [[UInt8]], keep: Int) -> [Move] {
        var archives: [Int: [String]] = [:]
        for name in names {
            if let (number, ending) = number(of: name, log) {
                archives[number, default: []].append(ending)
            }
        }
        var gap = 1
        while gap < keep, archives[gap] != nil { gap += 1 }
        var moves: [Move] = []
        for ending in archives[gap] ?? [] { moves.append(.remove(name(log, gap, ending: ending))) }
        for number in (1..<gap).reversed() {
            for ending in archives[number] ?? [] {
                moves.append(
                    .rename(
                        name(log, number, ending: ending), to: name(log, number + 1, ending: ending)
                    ))
            }
        }
        return moves
    }

    /// The number of an archive, from 1 on, and what stands behind it; nil for any other name.
    static func number(of name: [UInt8], _ log: [UInt8]) -> (number: Int, ending: String)? {
        guard name.starts(with: log), name.count > log.count + 1,
            name[log.count] == UInt8(ascii: ".")
        else { return nil }
        let rest = name[(log.count + 1)...]
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let first = digits.first, first != UInt8(ascii: "0"), digits.count <= mostDigits,
            let ending = endings.first(where: {
                rest.dropFirst(digits.count).elementsEqual($0.utf8)
            })
        else { return nil }
        return (digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }, ending)
    }
}
