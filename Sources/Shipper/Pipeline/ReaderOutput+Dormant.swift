import Encoding
import Kafka
import Model
import Platform
import Registry
import Settings
import Tailer

/// Dormant streams: what is let go of, and how it comes back. The `FileMemory` has their files
/// among those that are open, for they are followed as before.
extension ReaderOutput {
    func sleeps(_ id: StreamID, _ file: FileID) -> SleepNote? {
        guard let source = files[file], let stream = streams[id], awaited[file] == nil,
            stream.events.map({ $0.open.joiner.isEmpty && $0.keptBack.isEmpty }) ?? true,
            // Which day's topic it has is known of the stream alone.
            !inputs[stream.input].isDated, let share = stream.share,
            source.encoding.isUTF8, source.encoding == inputs[stream.input].settings.encoding,
            let code = source.sleepCode, parts.ledger.maySleep(file)
        else { return nil }
        rests(id)
        guard streams[id]?.lane == nil, parts.ledger.sleeps(file) else { return nil }
        files[file] = nil
        encoders[file] = nil
        streams[id] = nil
        return SleepNote(shared: share, code: code)
    }

    func wakes(_ sleeper: Sleeper) {
        streams[sleeper.stream] = Stream(
            share: sleeper.note.shared as? TopicShare, input: sleeper.input, name: sleeper.name,
            captures: sleeper.captures)
        guard let entry = parts.registry.entry(sleeper.file) else { return }
        let (_, anchor) = parts.ledger.begin(
            entry.file, entry.generation, at: entry.offset, anchor: entry.anchor)
        let file = File(
            entry, of: sleeper.stream, path: sleeper.link ?? sleeper.name, anchor: anchor,
            inputs[sleeper.input].settings.encoding)
        file.wake(sleeper.note.code)
        files[entry.file] = file
    }

    func leaves(_ sleeper: Sleeper) {
        // Whoever reads on as the same entry has its place.
        if files[sleeper.file] == nil {
            memory.end(sleeper.file)
            parts.ledger.forgetSleeper(sleeper.file)
        }
        streams[sleeper.stream] = Stream(
            share: sleeper.note.shared as? TopicShare, input: sleeper.input, name: sleeper.name,
            captures: sleeper.captures)
        ended(sleeper.stream)
    }
}

extension ReaderOutput.File {
    private enum Bit {
        static let isUndecided: UInt8 = 1
        static let hasMalformed: UInt8 = 2
        static let hasUndecoded: UInt8 = 4
        /// From there on which of the containers' formats it has, counted from 1.
        static let container: UInt8 = 3
    }

    /// What was found out about it beside its entry, as far as it is read to the end of a line; nil
    /// in an s6 log directory.
    fileprivate var sleepCode: UInt8? {
        guard !isS6 else { return nil }
        var code: UInt8 = 0
        if isUndecided { code |= Bit.isUndecided }
        if hasMalformed { code |= Bit.hasMalformed }
        if hasUndecoded { code |= Bit.hasUndecoded }
        if let container, let index = ContainerFormat.allCases.firstIndex(of: container) {
            code |= UInt8(truncatingIfNeeded: index + 1) << Bit.container
        }
        return code
    }

    fileprivate func wake(_ code: UInt8) {
        isUndecided = code & Bit.isUndecided != 0
        hasMalformed = code & Bit.hasMalformed != 0
        hasUndecoded = code & Bit.hasUndecoded != 0
        let index = Int(code >> Bit.container) - 1
        container =
            ContainerFormat.allCases.indices.contains(index)
            ? ContainerFormat.allCases[index] : nil
    }
}
