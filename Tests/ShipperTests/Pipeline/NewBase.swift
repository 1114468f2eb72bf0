import Model
import Testing

/// What is missing at the front of each content that a registry of these tests has not seen before.
///
/// Whoever takes a logical offset for a physical one, or the other way round, is far off.
enum NewBase {
    @TaskLocal static var now = Base.none

    /// Runs each test of a suite for files that are whole, and again for files whose front was
    /// removed.
    struct Both: SuiteTrait, TestTrait, TestScoping {
        let isRecursive = true

        func provideScope(
            for test: Test, testCase: Test.Case?,
            performing function: @Sendable () async throws -> Void
        ) async throws {
            for base in [Base.none, Base(1 << 40 + 7)] {
                let named = IssueHandlingTrait.compactMapIssues { issue in
                    var issue = issue
                    issue.comments.append("where \(base.bytes) bytes were removed from the front")
                    return issue
                }
                try await NewBase.$now.withValue(base) {
                    try await named.provideScope(
                        for: test, testCase: testCase, performing: function)
                }
            }
        }
    }
}

extension Trait where Self == NewBase.Both {
    static var overBases: Self { Self() }
}

/// Where the byte at `offset` of a new file lies in its content.
func at(_ offset: Int) -> LogicalOffset { NewBase.now.logical(PhysicalOffset(offset)) }
