import Synchronization

/// A value that a test and a consumer's thread both use.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func with<R: Sendable>(_ body: (inout Value) throws -> R) rethrows -> R {
        try value.withLock { value in try body(&value) }
    }

    var current: Value { with { $0 } }
}
