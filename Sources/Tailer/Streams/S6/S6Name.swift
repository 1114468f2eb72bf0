/// The names in an s6 log directory (s6-log(8)).
enum S6Name {
    static let current = Array("current".utf8)
    static let previous = Array("previous".utf8)
    /// A processor makes this of `previous`, until it is an archive.
    static let processed = Array("processed".utf8)
    /// A processor's last run has left the one to the next run, which leaves the other.
    static let state = Array("state".utf8)
    static let newState = Array("newstate".utf8)
    /// Neither logs nor to be matched by a pattern as such.
    static let own: Set<[UInt8]> = [
        current, previous, Array("lock".utf8), state, newState, Array("newprevious".utf8),
        processed,
    ]

    /// `@`, a TAI64N label in 24 hex digits, `.s` or `.u`: an archive. Names sort by time.
    static func isArchive(_ name: [UInt8]) -> Bool {
        isLabelled(name) && (name[26] == UInt8(ascii: "s") || name[26] == UInt8(ascii: "u"))
    }

    /// Whether svlogd's processor is making this of `@….u`, until it is `@….s`.
    static func isUnfinished(_ name: [UInt8]) -> Bool {
        isLabelled(name) && name[26] == UInt8(ascii: "t")
    }

    /// The name of what svlogd's processor would have made an archive of.
    static func original(of name: [UInt8]) -> [UInt8]? {
        guard isLabelled(name), name[26] == UInt8(ascii: "s") else { return nil }
        return name.dropLast() + [UInt8(ascii: "u")]
    }

    /// The name of what svlogd's processor would make of an archive.
    static func product(of name: [UInt8]) -> [UInt8]? {
        guard isLabelled(name), name[26] == UInt8(ascii: "u") else { return nil }
        return name.dropLast() + [UInt8(ascii: "s")]
    }

    private static func isLabelled(_ name: [UInt8]) -> Bool {
        guard name.count == 27, name[0] == UInt8(ascii: "@"), name[25] == UInt8(ascii: ".")
        else { return false }
        return name[1..<25].allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }
}
