import Platform
import Testing

@testable import Rotator

struct ArchivePlanTests {
    private static let day: Int64 = 86_400_000_000_000
    private let now = FileTime(nanoseconds: 1_000 * day)

    /// An archive that is so many days old and has so many bytes.
    private func archive(_ number: Int, days: Int64 = 0, bytes: Int = 10, gz: Bool = false)
        -> Archive
    {
        Archive(
            name: Array("a.\(number)\(gz ? ".gz" : "")".utf8), number: number, isPacked: gz,
            inode: UInt64(number * 2 + (gz ? 1 : 0)), bytes: bytes,
            modified: FileTime(nanoseconds: now.nanoseconds - days * Self.day))
    }

    private func plan(
        _ archives: [Archive], _ policy: ArchivePolicy, isDone: (Archive) -> Bool = { _ in true }
    ) -> ArchivePlan {
        ArchivePlan(archives.shuffled(), policy, now: now, isDone: isDone)
    }

    @Test("O5: what is older than max_age goes, the oldest first, and nothing else")
    func age() {
        let all = [
            archive(1, days: 1), archive(2, days: 14), archive(3, days: 15),
            archive(4, days: 15, gz: true),
        ]
        #expect(
            plan(all, ArchivePolicy(mostAge: 14 * Self.day)).tasks
                == [.remove(all[3]), .remove(all[2])])
        // Its time lies in the future.
        #expect(plan([archive(1, days: -900)], ArchivePolicy(mostAge: 1)).tasks.isEmpty)
    }

    @Test("O5: the oldest go that are beyond max_total; the newest one stays whatever it has")
    func total() {
        let all = (1...4).map { archive($0, bytes: 40) }
        #expect(
            plan(all, ArchivePolicy(mostBytes: 100)).tasks == [.remove(all[3]), .remove(all[2])])
        #expect(plan(all, ArchivePolicy(mostBytes: 10)).tasks.count == 3)
        #expect(plan(all, ArchivePolicy(mostBytes: 160)).tasks.isEmpty)
        #expect(
            plan([archive(1, bytes: .max), archive(2, bytes: .max)], ArchivePolicy(mostBytes: 1))
                .tasks.count == 1)
    }

    @Test("O5: delay_compress leaves the newest one plain")
    func compress() {
        let all = [archive(1), archive(2), archive(3, gz: true)]
        #expect(
            plan(all, ArchivePolicy(compresses: true)).tasks == [
                .compress(all[1]), .compress(all[0]),
            ])
        #expect(
            plan(all, ArchivePolicy(compresses: true, delays: true)).tasks == [.compress(all[1])])
        #expect(plan(all, ArchivePolicy()).tasks.isEmpty)
    }

    @Test("O5: what is not known, or not delivered, is neither removed nor compressed, and told")
    func unknown() {
        let all = [archive(1, days: 9), archive(2, days: 9)]
        let policy = ArchivePolicy(compresses: true, mostAge: Self.day)
        let plan = plan(all, policy) { $0.number == 1 }
        #expect(plan.tasks == [.remove(all[0])])
        #expect(plan.staying == [all[1]])
    }

    @Test("O2: a plain one beside its packed one: that is settled, and not packed once more")
    func both() {
        let (plain, packed) = (archive(1), archive(1, gz: true))
        let policy = ArchivePolicy(compresses: true)
        #expect(plan([plain, packed], policy).tasks == [.settle(plain: plain, packed: packed)])
        #expect(plan([plain, packed], policy) { !$0.isPacked }.tasks.isEmpty)
        #expect(plan([plain, packed], policy) { $0.isPacked }.tasks.isEmpty)
    }
}
