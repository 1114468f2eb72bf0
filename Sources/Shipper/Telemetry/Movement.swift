/// What was shipped since it was told last: one line of the log from time to time, and none while
/// nothing moves.
struct Movement {
    private var read = 0
    private var records = 0
    private var bytes = 0

    /// Begins with nothing shipped.
    init() {}

    /// The line's data; nil where nothing was read or delivered since the last call.
    mutating func report(_ figures: Figures) -> KeyValuePairs<String, Log.Value>? {
        let lines = figures.recordsDelivered - records
        let delivered = figures.bytesDelivered - bytes
        guard lines > 0 || delivered > 0 || figures.bytesRead != read else { return nil }
        (read, records, bytes) = (
            figures.bytesRead, figures.recordsDelivered, figures.bytesDelivered
        )
        return [
            "records_delivered": .count(lines), "bytes_delivered": .count(delivered),
            "bytes_unread": .count(figures.unreadBytes),
            "bytes_in_flight": .count(figures.inFlightBytes), "files": .count(figures.files),
            "brokers": .count(figures.brokersConnected),
        ]
    }
}
