/// A value that may be nothing: where most are, an owner need not keep it.
protocol Blank {
    /// Nothing.
    init()
    var isBlank: Bool { get }
}

extension Int: Blank { var isBlank: Bool { self == 0 } }

extension Bool: Blank { var isBlank: Bool { !self } }

extension Array: Blank { var isBlank: Bool { isEmpty } }

extension Set: Blank { var isBlank: Bool { isEmpty } }

extension Dictionary: Blank { var isBlank: Bool { isEmpty } }

extension Optional: Blank {
    init() { self = nil }

    var isBlank: Bool { self == nil }
}
