import HTTPServer
import Model
package import Platform
import Registry
import Settings

/// `shipper status`: how a running agent is.
package enum StatusCommand {
    /// The arguments on the command line, checked.
    package struct Arguments: Hashable, Sendable {
        /// The configuration that says where the agent serves HTTP.
        package let config: String
        /// Where it does, in place of that.
        package let address: InternetAddress?
        /// The agent's own object in place of text.
        package let isJSON: Bool
        /// Draws anew every second until SIGINT or SIGTERM.
        package let isWatching: Bool

        package init(
            config: String, address: InternetAddress? = nil, isJSON: Bool = false,
            isWatching: Bool = false
        ) {
            self.config = config
            self.address = address
            self.isJSON = isJSON
            self.isWatching = isWatching
        }
    }

    private static let pauseNanoseconds: Int64 = 1_000_000_000

    /// Asks over HTTP, and reads the registry of the agent's data directory where that can be read.
    package static func run(_ arguments: Arguments) throws(SystemError) -> ExitCode {
        let known: InternetAddress?
        if let named = arguments.address {
            known = named
        } else {
            do throws(SettingsError) {
                known = try Settings.load(
                    path: arguments.config, environment: ProcessContext.environment()
                ).http.listen.reachable
            } catch {
                try StandardStream.error.write(error.description + "\n")
                return .badConfiguration
            }
        }
        guard let address = known else {
            return try complain(
                "\(arguments.config) has http.listen: none; the agent tells nothing of itself")
        }
        guard !arguments.isWatching else { return try watch(address) }
        let body: [UInt8]
        do throws(Trouble) {
            body = try ask(address)
        } catch {
            return try complain(error.text)
        }
        guard !arguments.isJSON else {
            try StandardStream.output.write(String(decoding: body, as: UTF8.self))
            return .done
        }
        Signals.prepare()
        guard let before = AgentStatus(json: body) else {
            return try complain("what answers at \(address) is no shipper, or of another version")
        }
        if Signals.waitForEnd(nanoseconds: pauseNanoseconds) { return .done }
        let told: [String]
        do throws(Trouble) {
            told = try lines(address, before, RemoteGlances(), isScrolled: true).lines
        } catch {
            return try complain(error.text)
        }
        try StandardStream.output.write(told.map { $0 + "\n" }.joined())
        return .done
    }

    /// Why the agent does not answer.
    private struct Trouble: Error {
        let text: String
    }

    /// Draws anew each second, whether the agent answers or not.
    private static func watch(_ address: InternetAddress) throws(SystemError) -> ExitCode {
        Signals.prepare()
        guard StandardStream.output.isTerminal else {
            try draw(address) { (lines) throws(SystemError) in
                try StandardStream.output.write(lines.joined(separator: "\n") + "\n\n")
            }
            return .done
        }
        let screen = TerminalScreen()
        try screen.enter()
        do throws(SystemError) {
            try draw(address) { (lines) throws(SystemError) in
                let rows = RegistryShowCommand.look(isScrolled: false).screen?.rows
                try screen.draw(Array(lines.prefix(rows ?? lines.count)))
            }
        } catch {
            try screen.leave()
            throw error
        }
        try screen.leave()
        return .done
    }

    private static func draw(
        _ address: InternetAddress, _ show: ([String]) throws(SystemError) -> Void
    ) throws(SystemError) {
        let glances = RemoteGlances()
        var before: AgentStatus?
        repeat {
            var drawn: [String]
            do throws(Trouble) {
                (drawn, before) = try lines(address, before, glances, isScrolled: false)
            } catch {
                drawn = [PrintableText.of(error.text)]
            }
            try show(drawn)
        } while !Signals.waitForEnd(nanoseconds: pauseNanoseconds)
    }

    private static func lines(
        _ address: InternetAddress, _ before: AgentStatus?, _ glances: RemoteGlances,
        isScrolled: Bool
    ) throws(Trouble) -> (lines: [String], status: AgentStatus) {
        guard let status = AgentStatus(json: try ask(address)) else {
            throw Trouble(text: "what answers at \(address) is no shipper")
        }
        let look = RegistryShowCommand.look(isScrolled: isScrolled)
        let text = StatusText(
            status: status, before: before, files: files(of: status, glances), now: .now(),
            columns: look.screen?.columns)
        return (text.lines(), status)
    }

    /// Nil where its registry cannot be read from here, as from another machine.
    private static func files(
        of status: AgentStatus, _ glances: RemoteGlances
    ) -> [ShownFile]? {
        do throws(RegistryError) {
            return glances.look(at: try RegistryReader.read(directory: status.data).entries)
        } catch {
            return nil
        }
    }

    private static func ask(_ address: InternetAddress) throws(Trouble) -> [UInt8] {
        var trouble = "what answers there speaks no HTTP"
        do throws(SystemError) {
            if let answer = try HTTPQuery.get(address, "/status") {
                if answer.status == 200 { return answer.body }
                let said = String(decoding: answer.body.prefix(200), as: UTF8.self)
                trouble = "\(answer.status) \(said.split(separator: "\n").first ?? "")"
            }
        } catch {
            trouble = "\(error); is it running, and is this the machine or pod that it runs in?"
        }
        throw Trouble(text: "the agent cannot be asked at \(address): \(trouble)")
    }

    private static func complain(_ text: String) throws(SystemError) -> ExitCode {
        try StandardStream.error.write("shipper: \(PrintableText.of(text))\n")
        return .fault
    }
}

extension Settings.HTTP.Listen {
    /// Where somebody on the same machine reaches it; nil: nowhere.
    fileprivate var reachable: InternetAddress? {
        switch self {
        case .none: nil
        case .standard: Settings.HTTP.standardAddress
        case .address(let address):
            switch address.host {
            case "0.0.0.0": .loopback(port: address.port)
            case "::": InternetAddress(host: "::1", port: address.port)
            default: address
            }
        }
    }
}
