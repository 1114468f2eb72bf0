import Platform
import YAML

/// `rotation` of an input.
extension SettingsReader {
    mutating func rotation(_ value: Value?) -> Settings.Rotation? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return nil }
        guard let section = section(value, .rotation) else { return nil }
        let times = ["size", "schedule", "age"].filter { section[$0] != nil }
        if times.isEmpty {
            fault(
                section.mark, section.path("size"),
                "missing; expected the bytes from which on a log is rotated, as in 1GiB, or beside "
                    + "or in place of it schedule or age")
        }
        let keep = required(section, "keep", "how many archives stay, as in 7")
        let age = section["age"].map { duration($0, .rotatedAge) }
        let size = section["size"].map { self.size($0, .rotatedSize) }
        notEmpty(section["not_empty"])
        return Settings.Rotation(
            size: size, schedule: section["schedule"].flatMap { schedule($0) },
            age: age,
            keep: count(keep, .archives),
            maxAge: section["max_age"].map {
                // The newest archive tells when the last rotation was, and has to be there.
                let bounds = Bounds<Duration>.archiveAge
                return duration(
                    $0, in: max(bounds.range.lowerBound, age ?? .zero)...bounds.range.upperBound,
                    default: bounds.standard)
            },
            maxTotal: section["max_total"].map {
                // Less would remove what was archived a moment ago.
                let bounds = Bounds<Int>.archivesTotal
                return self.size(
                    $0, in: (size ?? bounds.range.lowerBound)...bounds.range.upperBound,
                    default: bounds.standard)
            },
            compress: choice(section["compress"], default: .none),
            delayCompress: boolean(section["delay_compress"], default: false),
            missingOK: boolean(section["missing_ok"], default: true),
            method: choice(
                section["method"], default: .auto, later: ["punch", "copytruncate", "rename"]))
    }

    private mutating func schedule(_ value: Value) -> CronSchedule? {
        let expected = "minute, hour, day, month and weekday as in crontab, as in \"0 3 * * *\""
        guard let text = word(value, expected) else { return nil }
        do throws(CronSchedule.Malformed) {
            return try CronSchedule(text)
        } catch {
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) is no schedule: \(shown("\(error)")); expected \(expected)")
            return nil
        }
    }

    private mutating func notEmpty(_ value: Value?) {
        guard let value, !boolean(value, default: true) else { return }
        fault(
            value.node.mark, value.path,
            "false is not supported yet: an empty archive would push out one that has lines; "
                + "expected true")
    }

    /// Nothing is removed for a number that somebody has forgotten.
    private mutating func required(
        _ section: Section, _ key: String, _ expected: String
    ) -> Value? {
        if let value = section[key] { return value }
        fault(section.mark, section.path(key), "missing; expected \(expected)")
        return nil
    }
}
