import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

/// How many bytes were removed from the front of each content, as its saved state has it: logical minus
/// physical offset.
///
/// Each content has another number, a TiB behind the one before, so that whoever mixes up logical and
/// physical offsets, or adds the base of another file, is far off.
struct Bases {
    /// That of the first content.
    @TaskLocal static var first = 0

    private static let distance = 1 << 40

    private let first = Self.first
    private var count = 0

    mutating func next() -> Base {
        defer { count += 1 }
        return first == 0 ? .none : Base(first + count * Self.distance)
    }

    /// That of the content that has this place.
    private func base(of offset: LogicalOffset) -> Base? {
        guard first > 0 else { return Base.none }
        guard count > 0, offset.bytes >= first else {
            Issue.record("\(offset.bytes) is no logical offset")
            return nil
        }
        // A hole may be larger than what lies between two bases.
        let place = min((offset.bytes - first) / Self.distance, count - 1)
        return Base(first + place * Self.distance)
    }

    /// As it would be of a file that is whole.
    private func whole(_ offset: LogicalOffset) -> LogicalOffset {
        base(of: offset).map { Base.none.logical($0.physical(offset)) } ?? offset
    }

    private func whole(_ range: ByteRange) -> ByteRange {
        // Of a file that was never opened nothing was removed.
        guard range.start > 0, let base = base(of: range.start) else { return range }
        return ByteRange(
            start: Base.none.logical(base.physical(range.start)),
            end: Base.none.logical(base.physical(range.end)))
    }

    /// What was told, as it would be told of whole files; offsets that are physical are looked at.
    func whole(_ event: TailerEvent) -> TailerEvent {
        switch event {
        case .opened(let path, let offset): return .opened(path: path, offset: whole(offset))
        case .rewritten(let path, let offset):
            return .rewritten(path: path, offset: whole(offset))
        case .goneUnseen(let path, let from): return .goneUnseen(path: path, from: whole(from))
        case .hole(let path, let range): return .hole(path: path, range: whole(range))
        case .lost(let path, let range, let reason):
            return .lost(path: path, range: whole(range), reason: reason)
        case .truncated(_, let read, _), .endsEarly(_, let read, _):
            if first > 0 { #expect(read.bytes < first, "no physical offset") }
            return event
        default: return event
        }
    }
}

/// Runs each test of a suite for files that are whole, and again for files whose front was removed.
struct OverBases: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true
    let bases: [Int]

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        for base in bases {
            let named = IssueHandlingTrait.compactMapIssues { issue in
                var issue = issue
                issue.comments.append("where \(base) bytes were removed from the front")
                return issue
            }
            try await Bases.$first.withValue(base) {
                try await named.provideScope(for: test, testCase: testCase, performing: function)
            }
        }
    }
}

extension Trait where Self == OverBases {
    static var overBases: Self { Self(bases: [0, 1 << 40 + 7]) }

    /// Those, and one by which what may be read reaches to the largest offset of all.
    static var overAllBases: Self {
        Self(bases: [0, 1 << 40 + 7, OutsideNumber.most - 1])
    }
}
