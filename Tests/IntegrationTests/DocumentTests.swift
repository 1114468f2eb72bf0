import Command
import Settings
import Shipper
import TestSupport
import Testing

@Suite("What the documents print can be typed") struct DocumentTests {
    private static let documents = [
        "README.md", "deploy/README.md", "docs/registry.md", "docs/registry-show.md",
        "docs/metrics.md", "docs/lines.md", "docs/migrating-from-filebeat.md", "docs/status.md",
        "docs/reloading.md",
    ]

    /// The lines of a document's blocks in fences, with the word behind the fence.
    private static func blocks(_ document: String) throws -> [(language: String, lines: [String])] {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = String(decoding: try readFile("/\(repository)/\(document)"), as: UTF8.self)
        var blocks: [(language: String, lines: [String])] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside.toggle()
                if isInside { blocks.append((String(line.dropFirst(3)), [])) }
            } else if isInside {
                blocks[blocks.count - 1].lines.append(String(line))
            }
        }
        return blocks
    }

    /// What a shell would give `shipper`, if the line calls it: alone, after variables, or in a pod.
    private static func arguments(_ line: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        for character in line {
            switch character {
            case "'":
                isQuoted.toggle()
                word = word ?? ""
            case " " where !isQuoted:
                if let whole = word { words.append(whole) }
                word = nil
            case "#" where !isQuoted && word == nil:
                return called(words)
            default: word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return called(words)
    }

    private static func called(_ words: [String]) -> [String]? {
        if words.first == "kubectl", let dashes = words.firstIndex(of: "--") {
            return called(Array(words[(dashes + 1)...]))
        }
        // Where its output goes is the shell's.
        let rest = words.prefix { $0 != ">" }.drop {
            $0 == "$" || $0.contains("=") && !$0.hasPrefix("-")
        }
        return rest.first == "shipper" ? Array(rest.dropFirst()) : nil
    }

    @Test("Every command line of ours is understood, and none asks for help by mistake")
    func commands() throws {
        var found = 0
        for document in Self.documents {
            for line in try Self.blocks(document).flatMap(\.lines) {
                guard let arguments = Self.arguments(line) else { continue }
                found += 1
                do throws(UsageError) {
                    if case .say = try Invocation(arguments) {
                        Issue.record("\(document): nothing is done by: \(line)")
                    }
                } catch {
                    Issue.record("\(document): \(line): \(error)")
                }
            }
        }
        // Documents that lost their fences would pass.
        #expect(found >= 10)
    }

    @Test("Every whole configuration is one, and the one to begin with is that of the pods")
    func configurations() throws {
        var found = 0
        for document in Self.documents {
            for block in try Self.blocks(document) where block.language == "yaml" {
                guard block.lines.contains("inputs:"), block.lines.contains("output:") else {
                    continue
                }
                found += 1
                let text = block.lines.joined(separator: "\n")
                #expect(throws: Never.self, "\(document)") {
                    try Settings.parse(Array(text.utf8), file: document, environment: [:])
                }
            }
        }
        #expect(found >= 1)
        let deployed = try Deployment.text("kubernetes/shipper.yaml")
        let settings = try Settings.parse(
            Array(deployed.utf8), file: "shipper.yaml", environment: ["NODE_NAME": "n"])
        #expect(settings.node == "n" && settings.inputs.map(\.name) == ["pods"])
    }
}
