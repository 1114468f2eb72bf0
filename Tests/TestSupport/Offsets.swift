package import Model

/// In tests, any number is a place in a file, or what was removed from its front.
extension LogicalOffset: ExpressibleByIntegerLiteral {
    package init(integerLiteral bytes: Int) { self.init(bytes) }
}

extension Base: ExpressibleByIntegerLiteral {
    package init(integerLiteral bytes: Int) { self.init(bytes) }
}
