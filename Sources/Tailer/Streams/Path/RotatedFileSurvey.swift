import Model
import Platform

/// How rotated files are gone through.
struct RotatedFileSurvey {
    /// Files that are looked for among all of them; nil where only the first few are looked at.
    let sought: SoughtFiles?
    /// Of those that hold nothing of that, the oldest stay open.
    let mostOpen: Int
    var pace = SurveyPace()
    private var alike: [FileID: Int] = [:]
    private var opened = 0

    /// Rotated files of one content that stay open: the first one is taken for what became of a
    /// file, unless it cannot be read.
    private static let mostAlike = 4

    /// Nothing of what is found is made use of yet.
    let isAhead: Bool

    init(for sought: SoughtFiles?, mostOpen: Int) {
        self.sought = sought
        self.mostOpen = mostOpen
        isAhead = false
    }

    init(aheadOf sought: SoughtFiles) {
        self.sought = sought
        mostOpen = 0
        isAhead = true
    }

    /// One more that nothing is known of, and which file's content it holds; whether it stays open.
    mutating func keeps(_ file: FileID?) -> Bool {
        if let file {
            alike[file, default: 0] += 1
            return alike[file, default: 0] <= Self.mostAlike
        }
        opened += 1
        return opened <= mostOpen
    }
}

/// A file beside a log that was opened once and closed again, as far as it is known.
///
/// 1. A pod makes a hundred thousand files `app.log.N`, and truncates `app.log`. Or it has sixty
///    archives of which each takes a twentieth of a second to unpack the beginning.
/// 2. What became of the log's content is looked for among all of them.
/// 3. Each of them had a descriptor until that was over, and nobody else a turn.
///
/// So what holds nothing of what was read is closed at once. This is enough to tell its place in
/// the order, and when its turn comes it is opened once more. A survey that takes longer than a
/// slice goes on in the next one, with what is not known yet.
struct Stranger {
    let modified: FileTime
    let birth: FileTime?
    let isPacked: Bool
}

extension Stranger {
    init(_ candidate: Candidate) {
        self.init(
            modified: candidate.status.modified, birth: candidate.identity.birthTime,
            isPacked: candidate.packed != nil)
    }
}

/// Files whose content is looked for among rotated files: the stream has read them.
struct SoughtFiles {
    let saved: [SavedFile]
    let files: [TailedFile]

    /// Their numbers: what was found out about a stranger holds as long as there are no others.
    var ids: Set<FileID> { Set(saved.map(\.file)).union(files.filter(\.isReplaced).map(\.id)) }
}

/// How much time a survey may take at a time.
struct SurveyPace {
    private let begun = MonotonicTime.now()
    private var end = MonotonicTime.never
    private var steps = 0

    private static let slice: Int64 = 4_000_000
    /// Files that have to be opened for another slice to be worth it. A machine with much to do
    /// takes longer for fewer, and they are looked at together as before.
    private static let fewestSteps = 32

    /// Begins the slice. All that comes before the first file is opened is done anew each time:
    /// files may take as long as that.
    mutating func begin() {
        let now = MonotonicTime.now()
        end = now + max(Self.slice, now - begun)
    }

    /// Something was found out that is remembered; of what is compressed that takes up to a
    /// twentieth of a second.
    mutating func progress(isPacked: Bool = false) { steps += isPacked ? Self.fewestSteps : 1 }

    var isOver: Bool { steps >= Self.fewestSteps && MonotonicTime.now() >= end }
}

extension StreamTable {
    /// Something of all that the stream has read.
    func sought(_ stream: LogStream) -> SoughtFiles {
        let sought = SoughtFiles(saved: knownFiles.saved(stream.name), files: stream.files)
        stream.seek(sought.ids)
        return sought
    }

    /// Adds a rotated file that nothing is known of. What holds nothing that is looked for may be
    /// closed, and is not opened again to find that out.
    func add(
        _ rotatedFile: RotatedFile, _ candidate: Candidate, of stream: LogStream,
        to unknown: inout UnknownRotatedFiles, _ survey: inout RotatedFileSurvey
    ) {
        guard let sought = survey.sought else {
            unknown.found.append((rotatedFile, candidate))
            if candidate.packed != nil { survey.pace.progress(isPacked: true) }
            return
        }
        let match: FileID?
        do throws(SystemError) {
            match = try holder(of: candidate, among: sought)
        } catch {
            // Whoever compares it next finds out the same, and what to do about it.
            if survey.keeps(nil) { unknown.found.append((rotatedFile, candidate)) }
            return
        }
        let isKept = survey.keeps(match)
        if isKept { unknown.found.append((rotatedFile, candidate)) }
        // What takes long to compare is remembered though it is open, in case this goes on in
        // another slice.
        if isKept, match != nil || candidate.packed == nil { return }
        let stranger = Stranger(candidate)
        stream.strangers[LogStream.Stamp(rotatedFile.status)] = stranger
        survey.pace.progress(isPacked: candidate.packed != nil)
        if !isKept { unknown.strangers.append((rotatedFile, stranger)) }
    }

    /// Which of the files that are looked for has, or had, the content that begins as a rotated
    /// file's.
    func holder(
        of candidate: Candidate, among sought: SoughtFiles
    ) throws(SystemError) -> FileID? {
        for file in sought.files {
            if file.isReplaced, try holds(candidate, file) { return file.id }
            // Nothing of it may be known but what is in it now.
            if candidate.packed != nil, isPacked(file, in: candidate) { return file.id }
        }
        // What became of plain ones is only asked at the beginning.
        guard candidate.packed != nil || !candidate.request.stream.isReconciled else { return nil }
        for entry in sought.saved.reversed()
        where knownFiles.content(of: entry.file, beginsAs: candidate.head) {
            if try candidate.continues(at: entry.position, after: entry.anchor.bytes) {
                return entry.file
            }
        }
        return nil
    }

    /// All that nothing is known of, open or not, oldest first.
    func inOrder(_ unknown: UnknownRotatedFiles) -> [(RotatedFile, Candidate?)] {
        var all: [(RotatedFile, Candidate?)] = unknown.found.map { ($0.0.born($0.1), $0.1) }
        guard !unknown.strangers.isEmpty else { return all }
        all += unknown.strangers.map { ($0.0.born($0.1), nil) }
        let namesTell = namesTell(all.map(\.0))
        all.sort { isOlder($0.0, $1.0, namesTell: namesTell) }
        return all
    }
}

extension RotatedFile {
    func born(_ candidate: Candidate) -> RotatedFile { born(Stranger(candidate)) }

    func born(_ stranger: Stranger) -> RotatedFile {
        var rotatedFile = self
        rotatedFile.birth = stranger.birth
        return rotatedFile
    }
}
