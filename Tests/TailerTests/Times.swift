import Platform

/// In tests, a time is any number.
extension MonotonicTime: ExpressibleByIntegerLiteral {
    package init(integerLiteral nanoseconds: Int64) { self.init(nanoseconds: nanoseconds) }

    static func += (time: inout MonotonicTime, nanoseconds: Int64) { time = time + nanoseconds }
}

extension FileTime: ExpressibleByIntegerLiteral {
    package init(integerLiteral nanoseconds: Int64) { self.init(nanoseconds: nanoseconds) }

    static func + (time: FileTime, nanoseconds: Int64) -> FileTime { time - -nanoseconds }
}
