package import Model

/// In tests, any number is a place in a file, or what was removed from its front.
extension LogicalOffset: ExpressibleByIntegerLiteral {
    package init(integerLiteral bytes: Int) { self.init(bytes) }
}

extension Base: ExpressibleByIntegerLiteral {
    package init(integerLiteral bytes: Int) { self.init(bytes) }
}

extension PhysicalOffset: ExpressibleByIntegerLiteral {
    package init(integerLiteral bytes: Int) { self.init(bytes) }
}

extension ByteRange {
    /// Of a file that nothing was removed from.
    package init(_ bytes: Range<Int>) {
        self.init(start: LogicalOffset(bytes.lowerBound), end: LogicalOffset(bytes.upperBound))
    }
}
