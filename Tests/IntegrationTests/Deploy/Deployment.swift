import Glibc
import TestSupport

/// What stands in `deploy/` of this repository, and the means to run a program as it says.
enum Deployment {
    /// The path of a file beneath `deploy`.
    static func path(_ relative: String) -> String {
        let here = #filePath
        let repository = here.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/\(repository)/deploy/\(relative)"
    }

    static func text(_ relative: String) throws -> String {
        String(decoding: try readFile(path(relative)), as: UTF8.self)
    }

    /// What follows `key: ` on the one line of the DaemonSet, or of an overlay's patch, that has it.
    static func daemonSetValue(_ key: String, of part: String = "kubernetes") throws -> String {
        let found = try text("\(part)/daemonset.yaml").split(separator: "\n").compactMap {
            line in
            let words = line.drop { $0 == " " }
            return words.hasPrefix("\(key): ") ? String(words.dropFirst(key.count + 2)) : nil
        }
        guard let value = found.first, found.count == 1 else {
            throw Unexpected(
                description: "\(part)/daemonset.yaml: \(found.count) lines with \(key)")
        }
        return value
    }

    /// The capabilities that the DaemonSet, or an overlay, leaves to the agent.
    static func capabilities(of part: String = "kubernetes") throws -> [String] {
        try daemonSetValue("add", of: part).filter { $0 != "[" && $0 != "]" && $0 != " " }
            .split(separator: ",").map { $0.lowercased() }
    }

    /// Before a command: uid 0 with these capabilities and no others, now and after any exec.
    static func restricted(to capabilities: [String]) throws -> [String] {
        [
            try findProgram("setpriv", package: "util-linux"), "--reuid=0", "--regid=0",
            "--clear-groups", "--inh-caps=-all", "--ambient-caps=-all",
            "--bounding-set=" + (["-all"] + capabilities.map { "+\($0)" }).joined(separator: ","),
            "--no-new-privs", "--",
        ]
    }

    /// Before a command: the file system is read-only, except for `data`, as in the pod. `stage` is
    /// an empty directory.
    static func onReadOnlyRoot(stage: String, data: String) throws -> [String] {
        let script = """
            stage=$1 data=$2
            shift 2
            mount --rbind / "$stage"
            mount --options remount,bind,ro "$stage"
            mount --bind "$data" "$stage/$data"
            exec chroot "$stage" "$@"
            """
        return [
            try findProgram("unshare", package: "util-linux"), "--mount", "sh", "-euc", script,
            "sh",
            stage, data,
        ]
    }

    /// Whether this machine lets us take rights away and make mounts that only our child sees.
    static func canRestrict() throws -> Bool {
        guard geteuid() == 0 else { return false }
        let unshare = try findProgram("unshare", package: "util-linux")
        let attempt = ["--mount"] + (try restricted(to: [])) + ["true"]
        return try ChildProcess(unshare, attempt).wait() == .code(0)
    }

    /// Runs a program of the system to its end.
    static func run(
        _ line: [String], environment: [String: String] = [:]
    ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
        let program = try line[0].hasPrefix("/") ? line[0] : findProgram(line[0], package: line[0])
        let process = try ChildProcess(
            program, Array(line.dropFirst()), environment: environment)
        return (try process.wait(), process.output, process.errors)
    }
}
