import Settings
import Shipper

/// shipper(1), for man: the table in the words of man(7), one paragraph a line or more.
enum ManualPage {
    static func text() -> String {
        var page = Roff()
        page.title(["SHIPPER", "1", Version.date, "shipper \(Version.text)", "User Commands"])
        page.macro("SH", ["NAME"])
        page.line("shipper - ships lines of log files to Kafka, each at least once, in order")
        page.macro("SH", ["SYNOPSIS"])
        page.request("B shipper")
        page.request("I COMMAND")
        page.line("[OPTION]...")
        page.macro("SH", ["DESCRIPTION"])
        page.paragraph(
            "Follows the log files of a machine, remembers how far Kafka has acknowledged them, "
                + "and goes on exactly there after a stop or a crash. A line that was on the disk "
                + "while the agent could read it is delivered, at least once; what is lost all the "
                + "same is told.")
        page.paragraph("Every command takes these options:")
        for option in CommandTable.everywhere { page.entry(form(option), option.help) }
        page.macro("SH", ["COMMANDS"])
        for command in CommandTable.commands { describe(command, &page) }
        page.macro("SH", ["EXIT STATUS"])
        for code in ExitCode.allCases { page.entry("\(code.rawValue)", code.meaning) }
        page.macro("SH", ["FILES"])
        page.entry(Settings.standardPath, "the configuration, where --config names no other")
        page.entry(
            Settings.standardData,
            "the registry and its lock, where the configuration names no other")
        page.macro("SH", ["ENVIRONMENT"])
        page.paragraph(
            "A value of the configuration may name any variable, as in ${NAME} or "
                + "${NAME:-default}. Where there is NOTIFY_SOCKET, as systemd sets it, the agent "
                + "tells there how it is.")
        return page.text
    }

    private static func describe(_ command: CommandTable.Command, _ page: inout Roff) {
        page.macro("SS", ["shipper \(command.name)"])
        page.paragraph(sentence(command.summary))
        for paragraph in command.details { page.paragraph(paragraph) }
        for operand in command.operands {
            let dots = operand.most > 1 ? "..." : ""
            let name = operand.isRequired ? operand.placeholder : "[\(operand.placeholder)]"
            page.entry(name + dots, operand.help)
        }
        for option in command.options { page.entry(form(option), option.help) }
        let codes = command.exits.map { "\($0.rawValue) (\($0.meaning))" }
        page.paragraph("Ends with \(codes.joined(separator: ", ")).")
    }

    private static func form(_ option: CommandTable.Option) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        return "\(short)--\(option.name)\(option.value.map { " \($0.placeholder)" } ?? "")"
    }

    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + "."
    }
}

/// Lines of man(7): what is text stays text, whatever is in it.
private struct Roff {
    private static let width = 78
    private var isFirst = false
    private(set) var text = ".\\\" Made by `shipper man`.\n"

    /// The first line. A date is no text, and has no escapes.
    mutating func title(_ words: [String]) {
        text += ".TH \(words.map { "\"\($0)\"" }.joined(separator: " "))\n"
    }

    /// A macro with its arguments, each in quotes.
    mutating func macro(_ name: String, _ arguments: [String]) {
        let words = arguments.map { "\"\(Self.escaped($0).replacing("\"", with: "\\(dq"))\"" }
        isFirst = name == "SH" || name == "SS"
        text += ".\(name) \(words.joined(separator: " "))\n"
    }

    /// A macro whose argument needs no quotes.
    mutating func request(_ request: String) { text += ".\(request)\n" }

    mutating func paragraph(_ paragraph: String) {
        // A heading begins one already.
        if !isFirst { text += ".PP\n" }
        isFirst = false
        line(paragraph)
    }

    /// A term, and beneath it what is said of it.
    mutating func entry(_ term: String, _ explanation: String) {
        text += ".TP\n"
        isFirst = false
        macro("B", [term])
        line(explanation)
    }

    /// A sentence ends its line, and none is long.
    mutating func line(_ content: String) {
        var line = ""
        func flush() {
            guard !line.isEmpty else { return }
            // A dot or an apostrophe at its beginning would make it a request.
            text += (line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" : "") + line + "\n"
            line = ""
        }
        for word in content.split(separator: " ") {
            let word = Self.escaped(String(word))
            if !line.isEmpty, line.count + 1 + word.count > Self.width { flush() }
            line += (line.isEmpty ? "" : " ") + word
            if word.hasSuffix(".") { flush() }
        }
        flush()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .replacing("`", with: "\\(ga").replacing("^", with: "\\(ha")
            .replacing("~", with: "\\(ti").replacing("'", with: "\\(aq")
    }
}
