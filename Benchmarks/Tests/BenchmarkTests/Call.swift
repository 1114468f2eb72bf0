import Foundation
import Testing

/// One call of the harness that this build made, and what it said.
struct Call {
    let code: Int32
    let output: String
    let errors: String

    /// Runs it to its end. `SHIPPER` names the agent; else it is the debug build beside this package.
    init(_ arguments: [String], shipper: Bool = false) throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("bench-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (out, err) = (directory.appending(path: "out"), directory.appending(path: "err"))
        let process = try Self.start(
            arguments + (shipper ? ["--shipper", try Self.shipper()] : []), scratch: directory,
            out: out, err: err)
        process.waitUntilExit()
        code = process.terminationStatus
        output = try String(contentsOf: out, encoding: .utf8)
        errors = try String(contentsOf: err, encoding: .utf8)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(left.sorted() == ["err", "out"], "it leaves something behind")
    }

    /// A harness that runs; its scratch directory is made in `scratch`.
    static func start(
        _ arguments: [String], scratch: URL, out: URL, err: URL
    ) throws -> Process {
        for file in [out, err] {
            try Data().write(to: file)
        }
        let process = Process()
        process.executableURL = try harness()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TMPDIR": scratch.path], uniquingKeysWith: { $1 })
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        return process
    }

    /// Beside the test bundle.
    static func harness() throws -> URL {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return try existing(
            URL(filePath: own).deletingLastPathComponent().appending(path: "shipper-bench"))
    }

    static func shipper() throws -> String {
        if let path = ProcessInfo.processInfo.environment["SHIPPER"] { return path }
        let package = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try existing(package.appending(path: ".build/debug/shipper")).path
    }

    private static func existing(_ file: URL) throws -> URL {
        try #require(
            FileManager.default.isExecutableFile(atPath: file.path),
            "\(file.path) is not there: make test-bench builds it")
        return file
    }
}
