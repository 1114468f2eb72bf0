import CLinux
import Glibc
import Synchronization

/// GNU conventions for a command line: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`,
/// unique beginnings of long names, options and operands in any order, `--` before operands that
/// look like options. getopt_long(3) does the work.
package enum OptionParser {
    /// One option that is taken.
    package struct Specification: Hashable, Sendable {
        /// Without the dashes.
        package let name: String
        /// One ASCII letter or digit, without the dash.
        package let short: Character?
        /// A value has to follow, and one that follows a flag is refused.
        package let takesValue: Bool

        /// A name that getopt could not take is a mistake of ours and stops the process.
        package init(name: String, short: Character? = nil, takesValue: Bool) {
            precondition(
                !name.isEmpty && !name.contains("=") && !name.utf8.contains(0),
                "\"\(name)\" is no name for an option")
            precondition(
                short.map { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? true,
                "a short option is one ASCII letter or digit")
            self.name = name
            self.short = short
            self.takesValue = takesValue
        }
    }

    /// The options and operands of a command line.
    package struct Parsed: Hashable, Sendable {
        /// One option as it was found.
        package struct Option: Hashable, Sendable {
            /// The long name, however it was written.
            package let name: String
            /// Nil for an option that takes none.
            package let value: String?
        }
        /// In their order; an option may stand more than once.
        package let options: [Option]
        /// Everything that is no option, in its order; `--` itself left out.
        package let operands: [String]
    }

    /// How far to look for options.
    package enum Extent: Sendable {
        /// Up to the first operand, which is a command with options of its own.
        case beforeOperands
        /// Everywhere up to `--`.
        case everywhere
    }

    /// Parses `arguments`, the program's name not among them. Any thread; one at a time gets
    /// through.
    package static func parse(
        _ arguments: [String], _ specifications: [Specification], _ extent: Extent = .everywhere
    ) throws(OptionError) -> Parsed {
        // getopt reads C strings, which a NUL would end early; no kernel passes one.
        precondition(
            arguments.allSatisfy { !$0.utf8.contains(0) }, "an argument that holds a NUL byte")
        let outcome = turn.withLock { _ in
            Result { () throws(OptionError) in
                try getopt(arguments, specifications, extent)
            }
        }
        return try outcome.get()
    }

    private static let turn = Mutex(())
    /// Values of long options lie above every character.
    private static let firstValue: Int32 = 256

    private static func getopt(
        _ arguments: [String], _ specifications: [Specification], _ extent: Extent
    ) throws(OptionError) -> Parsed {
        // argv[0] is what getopt takes for the program's name. It moves the pointers about, so they
        // lie in memory that is ours alone, and are freed by a copy of the list.
        let copies = unsafe ([""] + arguments).map { unsafe strdup($0) }
        let names = unsafe specifications.map { unsafe strdup($0.name) }
        let argv = unsafe UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: copies.count + 1)
        unsafe argv.initialize(repeating: nil, count: copies.count + 1)
        for index in unsafe copies.indices { unsafe argv[index] = copies[index] }
        defer {
            unsafe (copies + names).forEach { unsafe free($0) }
            unsafe argv.deallocate()
        }
        var longs: [option] = unsafe []
        for (index, specification) in specifications.enumerated() {
            unsafe longs.append(
                option(
                    name: UnsafePointer(names[index]),
                    has_arg: specification.takesValue ? required_argument : no_argument,
                    flag: nil, val: firstValue + Int32(index)))
        }
        unsafe longs.append(option(name: nil, has_arg: 0, flag: nil, val: 0))
        let shorts = shortNames(specifications, extent)
        let count = Int32(arguments.count + 1)

        var options: [Parsed.Option] = []
        clinux_options_begin()
        while true {
            let next = unsafe clinux_options_next(count, argv, shorts, longs)
            if next == -1 { break }
            let place = Int(clinux_option_index())
            guard let specification = specification(of: next, specifications) else {
                // A letter beyond ASCII is refused at its first byte, with its argument still the
                // one to be looked at; a long name when its argument is done with.
                let refused = clinux_option_refused()
                if !(0...127).contains(refused), refused < firstValue {
                    throw .unknown(unsafe string(argv[place]))
                }
                throw refusal(next, refused, unsafe string(argv[place - 1]), specifications)
            }
            let value = specification.takesValue ? unsafe string(clinux_option_argument()) : nil
            options.append(Parsed.Option(name: specification.name, value: value))
        }
        // getopt has moved the operands behind the options.
        let operands = (Int(clinux_option_index())..<Int(count)).map { unsafe string(argv[$0]) }
        return Parsed(options: options, operands: operands)
    }

    /// `+` stops at the first operand; `:` tells a missing value from an unknown option.
    private static func shortNames(_ specifications: [Specification], _ extent: Extent) -> String {
        var text = extent == .beforeOperands ? "+:" : ":"
        for specification in specifications {
            guard let short = specification.short else { continue }
            text.append(short)
            if specification.takesValue { text.append(":") }
        }
        return text
    }

    private static func specification(
        of value: Int32, _ specifications: [Specification]
    ) -> Specification? {
        if value >= firstValue { return specifications[Int(value - firstValue)] }
        return specifications.first { $0.short?.asciiValue.map(Int32.init) == value }
    }

    private static func refusal(
        _ answer: Int32, _ refused: Int32, _ last: String, _ specifications: [Specification]
    ) -> OptionError {
        let known = specification(of: refused, specifications)
        // A short option that wants a value is named as it was written.
        let written =
            refused >= firstValue
            ? "--" + (known?.name ?? "") : "-" + String(UnicodeScalar(UInt8(clamping: refused)))
        if answer == Int32(UInt8(ascii: ":")) { return .valueMissing(written) }
        if refused >= firstValue { return .valueNotTaken(written) }
        guard refused == 0 else { return .unknown(written) }
        let name = String(last.dropFirst(2).prefix { $0 != "=" })
        let matching = specifications.map(\.name).filter { $0.hasPrefix(name) }
        if matching.count > 1 { return .ambiguous("--" + name, matching.map { "--" + $0 }) }
        return .unknown("--" + name)
    }

    private static func string(_ pointer: UnsafePointer<CChar>?) -> String {
        guard let pointer = unsafe pointer else { return "" }
        return unsafe String(cString: pointer)
    }

    private static func string(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        guard let pointer = unsafe pointer else { return "" }
        return unsafe String(cString: pointer)
    }
}

/// The fault of a command line; options are named as they were written, dashes included.
package enum OptionError: Error, Hashable, CustomStringConvertible {
    case unknown(String)
    case ambiguous(String, [String])
    case valueMissing(String)
    case valueNotTaken(String)

    package var description: String {
        switch self {
        case .unknown(let option): "unknown option \(option)"
        case .ambiguous(let option, let names):
            "option \(option) is ambiguous: it may be \(names.joined(separator: " or "))"
        case .valueMissing(let option): "option \(option) needs a value"
        case .valueNotTaken(let option): "option \(option) takes no value"
        }
    }
}
