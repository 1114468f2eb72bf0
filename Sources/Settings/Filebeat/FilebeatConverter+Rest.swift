import Platform

/// What stands beside inputs and output.
extension FilebeatConverter {
    /// Keys for the end of the configuration.
    mutating func rest() -> ConvertedMap {
        var map = ConvertedMap()
        if let value = tree.take("filebeat.shutdown_timeout"), let text = value.text {
            let time = FilebeatText.duration(text)
            if let time, (Duration.milliseconds(100)...(.seconds(3_600))).contains(time) {
                map.pair("shutdown_timeout", Quantity.text(time))
            } else {
                map.comment(note(value, "not carried over; it is 10s", hand: false))
            }
        }
        if let value = tree.take("name"), let name = text(value), !name.isEmpty {
            map.pair("node", name)
        }
        for key in ["filebeat.registry.flush", "filebeat.registry_flush"] {
            guard let text = tree.take(key)?.text, let time = FilebeatText.duration(text),
                (Duration.milliseconds(1)...(.seconds(600))).contains(time), !map.has("registry")
            else { continue }
            var registry = ConvertedMap()
            registry.pair("sync", Quantity.text(time))
            map.map("registry", registry)
        }
        http(&map)
        log(&map)
        for (value, advice) in tree.told(behind: "", by: FilebeatAdvice.ofTop) {
            map.comment(note(value, advice.text, hand: advice.needsHand))
        }
        return map
    }

    private mutating func http(_ map: inout ConvertedMap) {
        guard tree.take("http.enabled")?.bool == true else {
            _ = tree.take("http")
            return
        }
        let host = tree.take("http.host")
        let port = tree.take("http.port")?.text.flatMap { UInt16($0) } ?? 5066
        let name = host?.text ?? "localhost"
        let address = name == "localhost" ? "127.0.0.1" : name
        guard let listen = InternetAddress(host: address, port: port) else {
            if let host {
                map.comment(note(host, "http.listen is an IP address and a port"))
            }
            return
        }
        var http = ConvertedMap()
        http.pair("listen", "\(listen)")
        map.map("http", http)
    }

    private mutating func log(_ map: inout ConvertedMap) {
        var log = ConvertedMap()
        if let level = tree.take("logging.level")?.text?.lowercased() {
            let known = [
                "debug": "debug", "warning": "warn", "error": "error", "critical": "error",
            ]
            log.pair("level", known[level])
            if known[level] == nil, level != "info" {
                map.comment(
                    note(missing: "logging.level", "expected debug, info, warning or error"))
            }
        }
        if tree.take("logging.json")?.bool == true { log.pair("format", "json") }
        if !log.isEmpty { map.map("log", log) }
    }
}
