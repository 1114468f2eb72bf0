internal import Glibc
internal import Synchronization

/// One broker of a `KafkaCluster`, which is a controller too: its files, and the process that runs
/// now or ran last. Any thread may use it.
final class KafkaBroker: Sendable {
    /// From 1.
    let number: Int
    let controllers: ReservedPort
    /// What some of the clients come by, and the port that it leads them to.
    let proxy: KafkaProxy?
    private let proxied: ReservedPort?
    /// Its ports for clients, one after the other; the last one is that of now. Nobody else gets the
    /// others.
    private let clients: Mutex<[ReservedPort]>
    /// Where its properties, data and what it says are.
    private let directory: String
    private let home: KafkaHome
    private let process = Mutex<ChildProcess?>(nil)
    /// How often another broker took its place.
    private let life = Atomic(0)

    init(_ number: Int, home: KafkaHome, directory: String, isProxied: Bool) throws {
        self.number = number
        self.home = home
        self.directory = directory
        clients = Mutex([try ReservedPort()])
        controllers = try ReservedPort()
        proxied = isProxied ? try ReservedPort() : nil
        proxy = try proxied.map { try KafkaProxy(to: $0.number) }
    }

    /// That of its clients now.
    var port: UInt16 { clients.withLock { $0.last?.number ?? 0 } }
    var address: String { "127.0.0.1:\(port)" }
    /// Its number in its cluster.
    private var node: Int { number + 100 * life.load(ordering: .acquiring) }
    /// As `controller.quorum.voters` names it.
    var voter: String { "\(node)@127.0.0.1:\(controllers.number)" }
    /// Where the partitions of topics are, one directory each.
    var data: String { "\(directory)/data-\(life.load(ordering: .acquiring))" }
    /// The same of those whose place it took, the oldest first.
    var formerData: [String] {
        (0..<life.load(ordering: .acquiring)).map { "\(directory)/data-\($0)" }
    }

    /// Another broker takes its place, with its addresses, another number and no data. It has been
    /// killed, and is to be configured and formatted.
    func replace() { life.add(1, ordering: .acquiringAndReleasing) }

    /// Its clients find it at another port from now on. It does not run, and is to be configured.
    func move() throws {
        let port = try ReservedPort()
        clients.withLock { $0.append(port) }
    }

    /// Writes its configuration, behind that of an earlier life. What comes last wins, so `more` does.
    func configure(
        voters: [String], listeners: [KafkaListener] = [], more: [String: String]
    ) throws {
        let replicas = min(voters.count, 3)
        var open = ["CLIENTS://\(address)"] + listeners.map { "\($0.name)://\($0.address)" }
        var advertised = open
        var protocols = listeners.map { ",\($0.name):\($0.security)" }.joined()
        if let proxied, let proxy {
            open.append("PROXIED://127.0.0.1:\(proxied.number)")
            advertised.append("PROXIED://\(proxy.address)")
            protocols += ",PROXIED:PLAINTEXT"
        }
        let properties = [
            "process.roles=broker,controller",
            "node.id=\(node)",
            "controller.quorum.voters=\(voters.joined(separator: ","))",
            "listeners=\(open.joined(separator: ",")),CONTROLLERS://127.0.0.1:\(controllers.number)",
            "advertised.listeners=\(advertised.joined(separator: ","))",
            "listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLERS:PLAINTEXT\(protocols)",
            "controller.listener.names=CONTROLLERS",
            "inter.broker.listener.name=CLIENTS",
            "log.dirs=\(data)",
            // A topic is there when a test makes it, with the partitions that the test wants.
            "auto.create.topics.enable=false",
            "min.insync.replicas=\(replicas > 2 ? 2 : 1)",
            "offsets.topic.replication.factor=\(replicas)",
            "offsets.topic.num.partitions=1",
            "transaction.state.log.replication.factor=\(replicas)",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=1",
            // A broker that was killed gives its partitions away after this.
            "broker.session.timeout.ms=1000",
            "broker.heartbeat.interval.ms=100",
            "num.network.threads=2",
            "num.io.threads=2",
            // The default is 128 MiB, half of the heap.
            "log.cleaner.dedupe.buffer.size=2097152",
        ]
        var more = more
        for listener in listeners {
            for (name, value) in listener.properties {
                more["listener.name.\(listener.name.lowercased()).\(name)"] = value
            }
        }
        let added = more.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        try makeDirectories(directory)
        try appendBytes(lines(properties + added), to: path("server.properties"))
        try appendBytes(
            lines([
                "appender.err.type=Console", "appender.err.name=err",
                "appender.err.target=SYSTEM_ERR", "appender.err.layout.type=PatternLayout",
                "appender.err.layout.pattern=%d %p %m (%c{1})%n",
                "rootLogger.level=WARN", "rootLogger.appenderRef.err.ref=err",
            ]), to: path("log4j2.properties"))
    }

    /// Begins to prepare its data directory for the cluster of this name: 22 characters that are 16
    /// bytes in base 64.
    func format(cluster: String) throws {
        let tool = try run(
            "kafka.tools.StorageTool",
            ["format", "--cluster-id", cluster, "--config", path("server.properties")])
        process.withLock { $0 = tool }
    }

    /// Waits until that is done.
    func finishFormat() throws {
        guard let tool = process.withLock({ $0 }) else { return }
        let exit = try tool.wait()
        guard exit == .code(0) else {
            throw TimedOut(description: "kafka.tools.StorageTool ended, \(exit): \(said)")
        }
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    private func lines(_ texts: [String]) -> [UInt8] {
        Array("\(texts.joined(separator: "\n"))\n".utf8)
    }

    private func run(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            home.java, home.arguments(running: name, log: path("log4j2.properties")) + arguments,
            // Kafka's own default is a directory beside its jars.
            environment: ["LOG_DIR": directory], directory: directory,
            output: .file(path("said")), errors: .file(path("said")))
    }

    /// Starts it, for the first time or after a kill.
    func start() throws {
        if let last = process.withLock({ $0 }), try last.exit == nil {
            preconditionFailure("broker \(number) was started while it runs")
        }
        let started = try run("kafka.Kafka", [path("server.properties")])
        process.withLock { $0 = started }
    }

    func signal(_ signal: Int32) { process.withLock { $0 }?.signal(signal) }

    /// SIGKILL, and waits for its end.
    func kill() { process.withLock { $0 }?.end() }

    /// Throws what it said if it has ended.
    func checkAlive() throws {
        if let process = process.withLock({ $0 }), let exit = try process.exit {
            throw TimedOut(description: "Kafka broker \(number) ended, \(exit): \(said)")
        }
    }

    /// The end of what all its processes said.
    var said: String {
        do {
            return String(decoding: try readFile(path("said")).suffix(3000), as: UTF8.self)
        } catch {
            return "(what it said cannot be read: \(error))"
        }
    }
}
