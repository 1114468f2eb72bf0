package import Platform
import Registry
import Rotator
import Settings
import Tailer

/// `shipper rotate`: rotates logs by hand.
package enum RotateCommand {
    /// As the command line has them.
    package struct Arguments: Hashable, Sendable {
        let config: String
        let wish: RotationWish

        /// `pattern` nil: all logs.
        package init(config: String, isForced: Bool, isDry: Bool, pattern: String?) {
            self.config = config
            wish = RotationWish(isForced: isForced, isDry: isDry, pattern: pattern)
        }
    }

    /// An agent looks for requests each second, or when it is through with a log.
    private static let patience: Int64 = 120_000_000_000
    /// Bytes of a path.
    private static let longestPattern = 4_096

    /// Says what was done on standard output; `fault` where something could not be.
    package static func run(_ arguments: Arguments) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: arguments.config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .badConfiguration
        }
        guard RotationRound.isAsked(settings) else {
            return try RegistryEditing.complain(
                "\(arguments.config): no input has rotation: no log is rotated", .badConfiguration)
        }
        let wish = arguments.wish
        guard !(wish.pattern ?? "").utf8.contains(UInt8(ascii: "\n")) else {
            return try RegistryEditing.complain("a pattern of two lines", .wrongUsage)
        }
        guard (wish.pattern ?? "").utf8.count <= longestPattern else {
            return try RegistryEditing.complain(
                "the pattern has more than \(longestPattern) bytes", .wrongUsage)
        }
        if let code = try alone(settings, wish) { return code }
        return try askAgent(settings, wish)
    }

    /// Nil where an agent has the data directory.
    private static func alone(
        _ settings: Settings, _ wish: RotationWish
    ) throws(SystemError) -> ExitCode? {
        // What root makes there, the agent could not read any more.
        let directory = try Descriptor.open(settings.data, O.path)
        let owner = try RotationRequest.owner(of: directory).owner
        if try FileLock.isHeld("lock", in: directory) { return nil }
        if ProcessContext.isRoot, owner != 0 {
            return try RegistryEditing.complain(
                "no agent runs, and what is in \(settings.data) is user \(owner)'s: run it as that "
                    + "user, or start the agent",
                .fault)
        }
        // To open the registry with its lock may change it.
        if wish.isDry {
            return try RegistryEditing.complain(
                "--dry-run asks the agent, and none runs: start it first", .fault)
        }
        let registry: Registry
        do throws(RegistryError) {
            // One that is not there is not made.
            _ = try RegistryReader.read(directory: settings.data)
            registry = try Registry.open(
                directory: settings.data, observer: RegistryEditing.Listener(), allowsCuts: true)
        } catch {
            if case .held = error { return nil }
            return try RegistryEditing.complain("\(error)", .fault)
        }
        defer { registry.close() }
        let log = try Log(level: .warn, format: .text)
        // What lies on remote file systems is not rotated.
        let territories = Readers.territories(
            settings.inputs.map { InputPlan($0, settings.output.kafka).tailing })
        let isNear: @Sendable (String) -> Bool = { territories.reader(of: $0) == 0 }
        let parts = RotationRun.Parts(registry: registry)
        if !wish.isDry {
            RotationRecovery(settings: settings, parts: parts, log: log, isNear: isNear).run()
        }
        let round = RotationRound(settings, parts, Counters(), log, isNear: isNear)
        let answer = round.fulfil(wish)
        try RegistryEditing.say(answer.lines)
        if !wish.isDry { round.finishArchives() }
        return answer.isFault ? .fault : .done
    }

    private static func askAgent(
        _ settings: Settings, _ wish: RotationWish
    ) throws(SystemError) -> ExitCode {
        let directory = try Descriptor.open(settings.data, O.path)
        let outcome = try RotationRequest.ask(
            wish, in: directory, patience: patience,
            isThere: { () throws(SystemError) in try FileLock.isHeld("lock", in: directory) },
            say: { (line) throws(SystemError) in try RegistryEditing.say([line]) })
        switch outcome {
        case .answered(let code): return code == 0 ? .done : .fault
        case .isBusy:
            return try RegistryEditing.complain("another shipper rotate is under way", .dataHeld)
        case .isSilent:
            return try RegistryEditing.complain(
                "the agent that holds \(settings.data) does not answer: it has ended, or none of "
                    + "the inputs that it was started with has rotation", .fault)
        }
    }
}
