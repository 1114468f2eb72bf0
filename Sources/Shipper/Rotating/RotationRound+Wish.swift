import Model
import Patterns
import Platform
import Registry
import Rotator
import Settings

/// What `shipper rotate` asks for.
extension RotationRound {
    /// Rotates the logs that are meant, or says what would be done.
    func fulfil(_ wish: RotationWish) -> RotationWish.Answer {
        var answer = RotationWish.Answer()
        let wanted: PathGlob?
        do throws(PathPatternError) {
            wanted = try wish.pattern.map { (text) throws(PathPatternError) in
                try PathGlob(text)
            }
        } catch {
            return RotationWish.Answer(lines: [PrintableText.of("\(error)")], isFault: true)
        }
        let wall = Clock.wallNanoseconds()
        var isAny = false
        for entry in logs() where wanted?.matches(entry.path) ?? true {
            if parts.isOver() { break }
            isAny = true
            let (text, isFault) = fulfil(wish, entry, wall)
            answer.lines.append(PrintableText.of("\(entry.path): \(text)"))
            answer.isFault = answer.isFault || isFault
        }
        if parts.isOver() {
            answer.lines.append(
                "the agent ends, or takes on a changed configuration: this is not all; ask again")
            answer.isFault = true
        } else if !isAny {
            let what = wish.pattern.map { "matches \($0)" } ?? "is there"
            answer.lines.append(
                PrintableText.of("no log that an input with rotation reads \(what)"))
            answer.isFault = true
        }
        return answer
    }

    /// Logs under their own names, of inputs that ask for rotation, by path.
    private func logs() -> [FileEntry] {
        parts.registry.entries().filter { entry in
            let path = ExactText(entry.path)
            let stream = ExactText(entry.stream)
            return isAsked(entry) && entry.state == .active
                && (path == stream || path.parent == stream)
        }.sorted { ExactText($0.path) < ExactText($1.path) }
    }

    private func fulfil(
        _ wish: RotationWish, _ entry: FileEntry, _ wall: Int64
    ) -> (text: String, isFault: Bool) {
        do throws(RotationObstacle) {
            switch try rotate(
                entry, wall: wall, isForced: wish.isForced, isDry: wish.isDry)
            {
            case .notDue(let reason):
                return ("left, \(reason)" + archivePlan(entry, wish, wall), false)
            case .rotated(let bytes):
                let text =
                    wish.isDry
                    ? "would be rotated, \(bytes) bytes would go to \(entry.path).1"
                    : "rotated, \(bytes) bytes are in \(entry.path).1"
                return (text + archivePlan(entry, wish, wall), false)
            }
        } catch {
            let detail = error.detail.map { ": \($0.value)" } ?? ""
            let text = String(describing: error.message) + detail
            return (text + archivePlan(entry, wish, wall), error.isFailure)
        }
    }

    /// What would be done to its archives as they are now.
    private func archivePlan(_ entry: FileEntry, _ wish: RotationWish, _ wall: Int64) -> String {
        guard wish.isDry else { return "" }
        let (plan, problem) = plan(entry, wall: wall)
        guard let plan else { return problem.map { "; archives: \($0)" } ?? "" }
        var parts = plan.tasks.map { task in
            switch task {
            case .remove(let archive): "\(Self.name(archive)) would be removed"
            case .compress(let archive): "\(Self.name(archive)) would be compressed"
            case .settle(let plain, _):
                "\(Self.name(plain)), which is compressed already, would be removed"
            }
        }
        parts += plan.staying.map {
            "\(Self.name($0)) stays: it is not delivered, or not known"
        }
        return parts.map { "; \($0)" }.joined()
    }

    private static func name(_ archive: Archive) -> String { PathText.text(archive.name) }
}
