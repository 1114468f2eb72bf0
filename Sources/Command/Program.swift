import Platform
import Shipper

/// The program: a command line in, an exit code out.
enum Program {
    static func run(_ arguments: [String]) -> ExitCode {
        do {
            return try perform(Invocation(arguments))
        } catch let error as UsageError {
            return complain(error.description, .wrongUsage)
        } catch {
            return complain("shipper: \(error)", .internalFault)
        }
    }

    private static func perform(_ invocation: Invocation) throws -> ExitCode {
        switch invocation {
        case .say(let text):
            try StandardStream.output.write(text)
            return .done
        case .check(let config, let connect, let all):
            return try CheckCommand.run(config: config, connect: connect, all: all)
        case .run(let config, let once, let timeout):
            return try RunCommand.run(config: config, once: once, timeout: timeout)
        case .status(let arguments):
            return try StatusCommand.run(arguments)
        case .convert(let file): return try ConvertCommand.run(file: file)
        case .demo(let seconds, let lines, let writers):
            return try DemoCommand.run(
                DemoPlan(
                    lines: lines ?? DemoPlan.standardLines,
                    writers: writers ?? DemoPlan.standardWriters, seconds: seconds))
        case .rotate(let arguments): return try RotateCommand.run(arguments)
        case .fromLogrotate(let file): return try FromLogrotate.run(file)
        case .registryImport(let arguments):
            return try RegistryImportCommand.run(arguments)
        case .registryShow(let arguments):
            return try RegistryShowCommand.run(arguments)
        case .registryVerify(let place): return try RegistryVerifyCommand.run(place)
        case .registryCompact(let place, let isDry):
            return try RegistryCompactCommand.run(place, isDry: isDry)
        case .registryForget(let pattern, let place, let isDry):
            return try RegistryForgetCommand.run(pattern: pattern, place, isDry: isDry)
        case .registryRewind(let pattern, let target, let place, let isDry):
            return try RegistryRewindCommand.run(
                pattern: pattern, to: target, place, isDry: isDry)
        }
    }

    /// Where standard error is gone too, the exit code is all that can be said.
    private static func complain(_ message: String, _ code: ExitCode) -> ExitCode {
        do throws(SystemError) {
            try StandardStream.error.write(message + "\n")
        } catch {
            return code
        }
        return code
    }
}
