import Platform

extension JSONTree {
    /// Appends a member, its key before it.
    func writeMember(_ node: Int, of text: Span<UInt8>, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        JSONString.encode(names.span.extracting(nodes[node].key), into: &out)
        out.append(UInt8(ascii: "\""))
        out.append(UInt8(ascii: ":"))
        write(node, of: text, into: &out)
    }

    /// Appends a node's value.
    func write(_ node: Int, of text: Span<UInt8>, into out: inout [UInt8]) {
        guard nodes[node].isObject else {
            if nodes[node].isClean {
                out.append(text.extracting(nodes[node].text))
            } else {
                Self.repair(text.extracting(nodes[node].text), into: &out)
            }
            return
        }
        out.append(UInt8(ascii: "{"))
        var member = nodes[node].first
        while member >= 0 {
            writeMember(member, of: text, into: &out)
            member = nodes[member].next
            if member >= 0 { out.append(UInt8(ascii: ",")) }
        }
        out.append(UInt8(ascii: "}"))
    }

    /// Appends a value that is no object, with what may not stand in a document replaced.
    private static func repair(_ value: Span<UInt8>, into out: inout [UInt8]) {
        switch value[0] {
        case UInt8(ascii: "\""):
            out.append(UInt8(ascii: "\""))
            JSONString.repair(value.extracting(1..<value.count - 1), into: &out)
            out.append(UInt8(ascii: "\""))
        case UInt8(ascii: "["): repair(elementsOf: value, into: &out)
        default: repair(number: value, into: &out)
        }
    }

    private static func repair(elementsOf array: Span<UInt8>, into out: inout [UInt8]) {
        var scanner = JSONScanner()
        var place = 1
        out.append(UInt8(ascii: "["))
        scanner.blanks(array, &place)
        while array[place] != UInt8(ascii: "]") {
            if array[place] == UInt8(ascii: ",") {
                out.append(UInt8(ascii: ","))
                place += 1
                scanner.blanks(array, &place)
            }
            let start = place
            scanner.begin()
            do throws(JSONFault) {
                try scanner.value(array, &place)
            } catch {
                preconditionFailure("a line that was read is no JSON: \(error.text)")
            }
            let element = array.extracting(start..<place)
            if scanner.isClean {
                out.append(element)
            } else if element[0] == UInt8(ascii: "{") {
                var tree = JSONTree()
                tree.read(element, expands: false)
                tree.write(0, of: element, into: &out)
            } else {
                repair(element, into: &out)
            }
            scanner.blanks(array, &place)
        }
        out.append(UInt8(ascii: "]"))
    }

    /// Digits that readers of JSON take for a number.
    private static let longestNumber = 1000

    /// A number beyond what a double holds is a text, as with Filebeat.
    private static func repair(number: Span<UInt8>, into out: inout [UInt8]) {
        var bytes: [UInt8] = []
        bytes.append(number)
        let isNumber =
            bytes.count <= longestNumber
            && Double(String(decoding: bytes, as: UTF8.self))?.isFinite == true
        if !isNumber { out.append(UInt8(ascii: "\"")) }
        out.append(contentsOf: bytes)
        if !isNumber { out.append(UInt8(ascii: "\"")) }
    }
}
