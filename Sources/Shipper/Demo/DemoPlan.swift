/// How big a demo is, and what follows from that. A pure value.
package struct DemoPlan: Hashable, Sendable {
    /// Lines of all writers together, at the most.
    package let lines: Int
    /// The pods, each with one s6-log, in the order in which they are started.
    package let writers: [Writer]
    /// How long the writers write at the most; nil: until their lines are written.
    package let seconds: Int?

    /// One pod with one log directory.
    package struct Writer: Hashable, Sendable {
        /// A segment of its path, captured as `{namespace}`.
        package let namespace: String
        /// A segment of its path, captured as `{app}`.
        package let app: String
        /// A segment of its path, made up as Kubernetes makes them up, captured as `{pod}`.
        package let pod: String
        /// Its lines, named after the pod.
        package let source: LineSource
        /// Lines that it writes when nobody ends it before.
        package let lines: Int
        /// Lines that it may be ahead of the audit.
        package let lead: Int

        /// `shop/orders/orders-…`; the log directory is `log` in it.
        package var podDirectory: String { "\(namespace)/\(app)/\(pod)" }
    }

    /// Lines of a demo for which nothing else is asked: some seconds of work.
    package static let standardLines = 500_000
    /// Writers of a demo for which nothing else is asked.
    package static let standardWriters = 4
    /// Rotations that each writer of a demo of the usual size reaches at least.
    package static let leastRotations = 20

    /// Shares `lines` between as many writers. `seconds` is nil where only the lines end it.
    package init(
        lines: Int = standardLines, writers: Int = standardWriters, seconds: Int? = nil
    ) {
        self.lines = lines
        self.seconds = seconds
        let services = Self.services
        self.writers = (0..<writers).map { number in
            let service = services[number % services.count]
            let pod = "\(service.app)-\(Self.name(number, 9))-\(Self.name(number + 7_919, 5))"
            let pods = (writers - number % services.count + services.count - 1) / services.count
            return Writer(
                namespace: service.namespace, app: service.app, pod: pod,
                source: LineSource(pod, seed: UInt64(number), payload: Self.payload),
                lines: (lines + writers - 1 - number) / writers,
                lead: max(2 * Self.chunk, Self.leadOfTopic / pods))
        }
    }

    private static let services: [(namespace: String, app: String)] = [
        ("shop", "orders"), ("shop", "cart"), ("bank", "payments"), ("bank", "ledger"),
        ("search", "index"), ("search", "suggest"), ("mail", "outbox"), ("web", "gateway"),
    ]

    /// As Kubernetes makes up names: letters and digits that spell no word.
    private static func name(_ number: Int, _ length: Int) -> String {
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        var random = UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15
        var name = ""
        for _ in 0..<length {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            name.append(letters[Int(random >> 33) % letters.count])
        }
        return name
    }

    // MARK: Sizes

    /// Lines of about 194 bytes, with the name and the number before the payload.
    private static let payload = 115...217
    private static let lineBytes = 194
    /// Lines given to a writer at once.
    static let chunk = 100
    /// Lines that the writers behind one topic may be ahead of the audit, together: the embedded
    /// broker keeps 5 MB a partition, and these are half of that even if all go into one.
    private static let leadOfTopic = 10_000
    /// Rounds of a writer of the usual size.
    private static let mostRounds = 25
    /// s6-log takes no smaller `s` than 4,096.
    private static let leastArchive = 4_096

    /// In how many rounds a writer writes its lines: s6-log has rotated after each, because a round
    /// is half again as large as an archive may be. 0 when there are too few lines for one.
    package func rounds(_ writer: Writer) -> Int {
        let leastRound = Self.leastArchive * 8 / 5
        return min(Self.mostRounds, writer.lines * Self.lineBytes / leastRound)
    }

    /// Bytes of an archive, s6-log's directive `s`.
    package func archiveBytes(_ writer: Writer) -> Int {
        let round = writer.lines * Self.lineBytes / max(1, rounds(writer))
        return min(max(Self.leastArchive, round * 2 / 3), (256 << 20) - 1)
    }

    /// The lines of each round.
    package func round(_ number: Int, of writer: Writer) -> Range<Int> {
        let rounds = max(1, rounds(writer))
        return writer.lines * number / rounds..<writer.lines * (number + 1) / rounds
    }

    // MARK: Settings

    /// The configuration that a user would write for this demo.
    package func configuration(root: String, brokers: [String]) -> String {
        """
        data: \(Self.quoted("\(root)/data"))
        inputs:
          - name: demo
            paths: [\(Self.quoted(Self.literal(root) + "/logs/{namespace}/{app}/{pod}/log/current"))]
        output:
          kafka:
            brokers: [\(brokers.map(Self.quoted).joined(separator: ", "))]
            topic: "logs.{namespace}.{app}"
        http: {listen: none}
        log: {level: warn}
        """
    }

    /// A scalar of YAML that means just these characters.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }

    /// A path in which no character means anything to a pattern.
    private static func literal(_ path: String) -> String {
        String(path.flatMap { "*?[{\\".contains($0) ? ["\\", $0] : [$0] })
    }
}
