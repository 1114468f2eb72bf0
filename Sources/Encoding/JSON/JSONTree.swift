import Platform

/// The members of a line's object as nodes, for lines in which something is to be changed: keys
/// that stand twice, keys with dots that are to become objects, texts that are no UTF-8. Its memory
/// is used again for the next line.
///
/// Of a key that stands twice the last one counts, as with Filebeat. Arrays are no nodes: what is
/// to be changed in one is changed as it is written.
struct JSONTree {
    struct Node {
        /// In `names`.
        let key: Range<Int>
        /// In the line; empty for an object, whose members are nodes.
        var text: Range<Int>
        var isObject: Bool
        /// The text may stand in a document as it is.
        var isClean = true
        /// It is the first part of a key with dots.
        var isExpanded = false
        var first = -1
        var last = -1
        var next = -1
        var count = 0
        /// By which its members are entered in `index`.
        var table = 0
    }

    /// The first is the line's object.
    private(set) var nodes: [Node] = []
    /// Keys without escapes.
    private(set) var names: [UInt8] = []
    /// The first key with dots that could not become an object: something else is in its way.
    private(set) var conflict: Range<Int>?
    /// A member was replaced by one without dots that stands behind it.
    private var hasLost = false
    private var scanner = JSONScanner()
    /// Of objects with many members: the member for the object's table and a key's hash.
    private var index: [Entry: Int] = [:]
    private var tables = 0

    private struct Entry: Hashable {
        let table: Int
        let hash: Int
    }

    /// Members that are looked through one by one.
    private static let fewMembers = 16

    /// Reads a line that `JSONObject` has read: all in it is as it has to be.
    ///
    /// Where a key with dots became an object, and its first part stands behind it as something
    /// else, none of the line's keys becomes one: nothing of it is lost.
    mutating func read(_ text: Span<UInt8>, expands: Bool) {
        readOnce(text, expands: expands)
        guard hasLost else { return }
        let first = conflict.map { Array(names[$0]) }
        readOnce(text, expands: false)
        if let first {
            let start = names.count
            names.append(contentsOf: first)
            conflict = start..<names.count
        }
    }

    private mutating func readOnce(_ text: Span<UInt8>, expands: Bool) {
        nodes.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        if !index.isEmpty { index.removeAll() }
        conflict = nil
        hasLost = false
        var place = 0
        scanner.begin()
        scanner.blanks(text, &place)
        _ = object(text, &place, key: 0..<0, expands)
    }

    /// The node for the value at `place`, which is moved behind it. As deep as a line may be.
    private mutating func value(
        _ text: Span<UInt8>, _ place: inout Int, key: Range<Int>, _ expands: Bool
    ) -> Int {
        if text[place] == UInt8(ascii: "{") { return object(text, &place, key: key, expands) }
        let start = place
        scanner.begin()
        do throws(JSONFault) {
            try scanner.value(text, &place)
        } catch {
            preconditionFailure("a line that was read is no JSON: \(error.text)")
        }
        nodes.append(
            Node(key: key, text: start..<place, isObject: false, isClean: scanner.isClean))
        return nodes.count - 1
    }

    private mutating func object(
        _ text: Span<UInt8>, _ place: inout Int, key: Range<Int>, _ expands: Bool
    ) -> Int {
        let node = addObject(key)
        place += 1
        scanner.blanks(text, &place)
        while text[place] != UInt8(ascii: "}") {
            if text[place] == UInt8(ascii: ",") {
                place += 1
                scanner.blanks(text, &place)
            }
            let name = self.name(text, &place)
            let child = value(text, &place, key: name, expands)
            attach(child, to: node, expands: expands)
            scanner.blanks(text, &place)
        }
        place += 1
        return node
    }

    private mutating func addObject(_ key: Range<Int>) -> Int {
        tables += 1
        var node = Node(key: key, text: 0..<0, isObject: true)
        node.table = tables
        nodes.append(node)
        return nodes.count - 1
    }

    private mutating func name(_ text: Span<UInt8>, _ place: inout Int) -> Range<Int> {
        scanner.begin()
        let key: Range<Int>
        do throws(JSONFault) {
            key = try scanner.key(text, &place)
        } catch {
            preconditionFailure("a line that was read is no JSON: \(error.text)")
        }
        let start = names.count
        if scanner.hasEscapes {
            _ = JSONString.decode(text.extracting(key), into: &names)
        } else {
            names.append(text.extracting(key))
        }
        return start..<names.count
    }

    // MARK: Members

    private mutating func attach(_ child: Int, to parent: Int, expands: Bool) {
        if expands, let parts = parts(of: nodes[child].key) {
            if expand(child, parts, in: parent) { return }
            conflict = conflict ?? nodes[child].key
        }
        guard let known = find(nodes[child].key, in: parent) else { return add(child, to: parent) }
        if nodes[known].isExpanded, nodes[child].isObject {
            merge(child, into: known)
        } else {
            if nodes[known].isExpanded {
                conflict = conflict ?? nodes[child].key
                hasLost = true
            }
            replace(known, by: child)
        }
    }

    /// Objects within one another that keys with dots may make.
    private static let mostParts = 16

    /// Of a key with dots; nil where there are none, too many, or one with nothing beside it.
    private func parts(of key: Range<Int>) -> [Range<Int>]? {
        var parts: [Range<Int>] = []
        var start = key.lowerBound
        for place in key where names[place] == UInt8(ascii: ".") {
            parts.append(start..<place)
            start = place + 1
        }
        guard !parts.isEmpty, parts.count < Self.mostParts else { return nil }
        parts.append(start..<key.upperBound)
        return parts.contains(where: \.isEmpty) ? nil : parts
    }

    /// False where something else is in the way; nothing is changed then.
    private mutating func expand(_ child: Int, _ parts: [Range<Int>], in parent: Int) -> Bool {
        var known = parent
        var depth = 0
        while depth < parts.count, let next = find(parts[depth], in: known) {
            guard nodes[next].isObject else { return false }
            known = next
            depth += 1
        }
        if depth == parts.count {
            guard nodes[child].isObject else { return false }
            merge(child, into: known)
            return true
        }
        while depth < parts.count - 1 {
            let next = addObject(parts[depth])
            nodes[next].isExpanded = true
            add(next, to: known)
            known = next
            depth += 1
        }
        let value = nodes[child]
        var node = Node(key: parts[depth], text: value.text, isObject: value.isObject)
        node.isClean = value.isClean
        nodes.append(node)
        take(membersOf: child, for: nodes.count - 1)
        nodes[nodes.count - 1].isExpanded = value.isObject
        add(nodes.count - 1, to: known)
        return true
    }

    private mutating func replace(_ known: Int, by child: Int) {
        nodes[known].text = nodes[child].text
        nodes[known].isObject = nodes[child].isObject
        nodes[known].isClean = nodes[child].isClean
        nodes[known].isExpanded = false
        take(membersOf: child, for: known)
    }

    /// Members that a node had before are not to be found any more.
    private mutating func take(membersOf child: Int, for node: Int) {
        tables += 1
        nodes[node].table = tables
        var member = nodes[child].first
        (nodes[node].first, nodes[node].last, nodes[node].count) = (-1, -1, 0)
        while member >= 0 {
            let next = nodes[member].next
            nodes[member].next = -1
            add(member, to: node)
            member = next
        }
    }

    /// Of what both have, the child's counts, and objects of both become one.
    private mutating func merge(_ child: Int, into known: Int) {
        var member = nodes[child].first
        while member >= 0 {
            let next = nodes[member].next
            nodes[member].next = -1
            if let same = find(nodes[member].key, in: known) {
                if nodes[same].isObject, nodes[member].isObject {
                    merge(member, into: same)
                } else {
                    replace(same, by: member)
                }
            } else {
                add(member, to: known)
            }
            member = next
        }
    }

    private mutating func add(_ child: Int, to parent: Int) {
        if nodes[parent].last < 0 {
            nodes[parent].first = child
        } else {
            nodes[nodes[parent].last].next = child
        }
        nodes[parent].last = child
        nodes[parent].count += 1
        if nodes[parent].count == Self.fewMembers + 1 {
            var member = nodes[parent].first
            while member >= 0 {
                index[entry(nodes[member].key, in: parent)] = member
                member = nodes[member].next
            }
        } else if nodes[parent].count > Self.fewMembers {
            index[entry(nodes[child].key, in: parent)] = child
        }
    }

    private func entry(_ key: Range<Int>, in parent: Int) -> Entry {
        var hasher = Hasher()
        for place in key { hasher.combine(names[place]) }
        return Entry(table: nodes[parent].table, hash: hasher.finalize())
    }

    private func find(_ key: Range<Int>, in parent: Int) -> Int? {
        if nodes[parent].count > Self.fewMembers {
            guard let member = index[entry(key, in: parent)], isSame(nodes[member].key, key)
            else { return nil }
            return member
        }
        var member = nodes[parent].first
        while member >= 0 {
            if isSame(nodes[member].key, key) { return member }
            member = nodes[member].next
        }
        return nil
    }

    private func isSame(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        for place in 0..<one.count
        where names[one.lowerBound + place] != names[other.lowerBound + place] {
            return false
        }
        return true
    }
}
