import Command
import Shipper
import TestSupport
import Testing

@Suite struct ManualPageTests {
    private func page() throws -> String {
        guard case .say(let text) = try Invocation(["man"]) else { return "" }
        return text
    }

    /// What a formatter says of the page, and the page as people read it.
    private func format(
        _ program: String, _ arguments: [String]
    ) throws -> (text: String, complaints: String) {
        let directory = try TemporaryDirectory()
        let path = try directory.write("shipper.1", try page())
        let process = try ChildProcess(
            try findProgram(program, package: program), arguments + [path],
            directory: directory.path)
        #expect(try process.wait() == .code(0))
        return (process.output, process.errors)
    }

    @Test func everyCommandOptionAndExitCodeStandsInThePage() throws {
        let page = try page().replacing("\\-", with: "-")
        #expect(
            page.contains(".TH \"SHIPPER\" \"1\" \"\(Version.date)\" \"shipper \(Version.text)\""))
        for command in CommandTable.commands {
            let heading = ".SS \"shipper \(command.name)\"\n"
            guard let start = page.firstRange(of: heading) else {
                Issue.record("\(command.name) is missing")
                continue
            }
            let rest = page[start.upperBound...]
            let end = rest.firstRange(of: "\n.S")?.lowerBound ?? rest.endIndex
            for option in command.options {
                #expect(rest[..<end].contains("--\(option.name)"), "\(command.name)")
            }
        }
        for option in CommandTable.everywhere { #expect(page.contains("--\(option.name)")) }
        for code in ExitCode.allCases { #expect(page.contains(".B \"\(code.rawValue)\"\n")) }
    }

    @Test(.enabled(if: hasProgram("groff"), "groff is not installed"))
    func groffHasNothingToWarnOf() throws {
        let (text, complaints) = try format("groff", ["-man", "-Tutf8", "-ww", "-P-cbou"])
        #expect(complaints.isEmpty)
        #expect(text.contains("registry rewind"))
        // What is text is no request, and what is an escape is no text.
        #expect(text.contains("${NAME:-default}"))
        #expect(!text.contains("\\"))
    }

    @Test(.enabled(if: hasProgram("mandoc"), "mandoc is not installed"))
    func mandocHasNothingToWarnOf() throws {
        let (text, complaints) = try format("mandoc", ["-Tlint", "-Wwarning"])
        #expect(text.isEmpty && complaints.isEmpty)
    }
}
