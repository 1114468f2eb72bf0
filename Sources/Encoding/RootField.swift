import Platform

/// A field of the user's that stands beside the document's own keys.
package struct RootField: Hashable, Sendable {
    /// Its key, which one of the document's own takes from it.
    package let name: String
    /// As JSON.
    let value: [UInt8]
    /// The members of an object, in the order of the file; nil for any other value.
    let members: [(name: String, value: [UInt8])]?

    package init(name: String, value: [UInt8], members: [(name: String, value: [UInt8])]?) {
        self.name = name
        self.value = value
        self.members = members
    }

    package static func == (one: RootField, other: RootField) -> Bool {
        one.name == other.name && one.value == other.value
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}

/// The fields that have no place yet in a document that is being made.
struct RootFields {
    private var left: [RootField]

    init(_ fields: [RootField]) {
        left = fields.filter { !Self.bookkeeping.contains($0.name) }
    }

    /// They stand before all that fields could stand among, and are no objects that take more.
    private static let bookkeeping: Set<String> = ["@timestamp", "@metadata", "message"]

    /// The document has this key itself.
    mutating func own(_ name: String) { left.removeAll { $0.name == name } }

    /// As the last members of the document's own object `name`: what a field of that name has
    /// beside the object's own members.
    mutating func join(_ name: String, _ members: Set<String>, _ text: inout JSONText) {
        guard let index = left.firstIndex(where: { $0.name == name }) else { return }
        for member in left.remove(at: index).members ?? [] where !members.contains(member.name) {
            text.key(member.name)
            text.rendered(member.value)
        }
    }

    /// As keys of their own: all that are left.
    func rest(_ text: inout JSONText) {
        for field in left {
            text.key(field.name)
            text.rendered(field.value)
        }
    }
}
