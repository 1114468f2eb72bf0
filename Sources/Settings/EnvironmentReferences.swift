/// `${NAME}` and `${NAME:-default}` in the text of a value.
enum EnvironmentReferences {
    enum Refusal: Error, Hashable, CustomStringConvertible {
        case notSet(String)
        case notClosed
        case badName(String)
        case nested(String)
        case tooLong

        var description: String {
            switch self {
            case .notSet(let name):
                "${\(name)} is not set in the environment; set it, or write a default, "
                    + "${\(name):-default}"
            case .notClosed: "a ${ without its }; expected ${NAME} or ${NAME:-default}"
            case .badName(let name):
                "${\(name)} is no name; expected ${NAME} or ${NAME:-default}"
            case .nested(let name):
                "the default of ${\(name)} holds another reference; expected plain text"
            case .tooLong: "more than \(longest) bytes once the environment is filled in"
            }
        }
    }

    /// Bytes of one value with everything filled in: the environment is not in our hands.
    static let longest = 1024 * 1024

    static func stand(in text: String) -> Bool { text.contains("${") }

    /// `text` with every reference replaced. As in a shell, a default also stands in for an empty
    /// variable. What comes from the environment is not looked at again.
    static func expand(
        _ text: String, _ environment: [String: String]
    ) throws(Refusal) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { throw .notClosed }
            result += try value(String(rest[..<end]), environment)
            rest = rest[rest.index(after: end)...]
            guard result.utf8.count <= longest else { throw .tooLong }
        }
        return result + rest
    }

    private static func value(
        _ reference: String, _ environment: [String: String]
    ) throws(Refusal) -> String {
        var name = reference
        var fallback: String?
        if let separator = reference.firstRange(of: ":-") {
            name = String(reference[..<separator.lowerBound])
            fallback = String(reference[separator.upperBound...])
        }
        let isName =
            name.utf8.first.map { !(0x30...0x39).contains($0) } == true
            && name.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0 == "_" || $0.properties.isAlphabetic || (0x30...0x39).contains($0.value))
            }
        guard isName else { throw .badName(name) }
        if let fallback {
            if fallback.contains("${") { throw .nested(name) }
            if let value = environment[name], !value.isEmpty { return value }
            return fallback
        }
        guard let value = environment[name] else { throw .notSet(name) }
        return value
    }
}
