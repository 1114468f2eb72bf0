import Machine

extension Contender {
    /// imfile to omkafka, the line as it is.
    static func rsyslog() throws(MachineError) -> Finding {
        guard let program = findProgram("rsyslogd") else {
            return .absent(name: "rsyslog", reason: "apt-get install rsyslog rsyslog-kafka")
        }
        let words = (try output(of: [program, "-v"]).first ?? "").split(separator: " ")
        let version = words.count > 1 ? "rsyslog \(words[1])" : "unknown"
        return .present(
            Contender(
                name: "rsyslog", program: program, version: version, endsByItself: false,
                follows: true
            ) {
                task throws(MachineError) in
                let path = task.directory + "/rsyslog.conf"
                try writeText(
                    """
                    global(workDirectory="\(task.directory)")
                    module(load="imfile")
                    module(load="omkafka")
                    template(name="line" type="string" string="%msg%")
                    input(type="imfile" File="\(task.files)" Tag="benchmark" ruleset="kafka")
                    ruleset(name="kafka") {
                      action(type="omkafka" broker=\(task.brokerList) topic="\(task.topic)"
                        template="line" resubmitOnFailure="on"
                        confParam=["compression.codec=lz4", "acks=all"])
                    }

                    """, to: path)
                return [program, "-n", "-f", path, "-i", task.directory + "/rsyslogd.pid"]
            })
    }
}
