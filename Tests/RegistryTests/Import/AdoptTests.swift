import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("R7: files of another shipper are entered all at once")
struct AdoptTests {
    let data: Data
    init() throws { data = try Data() }

    private func files() -> [AdoptedFile] {
        (1...3).map { number in
            AdoptedFile(
                .sample(UInt64(number), offset: PhysicalOffset(10 * number)),
                anchor: Anchor(bytes: Array("anchor \(number)".utf8)))
        }
    }

    @Test("They are found again with position and anchor, and their positions move on")
    func entered() throws {
        let registry = try data.open(Recorder())
        let own = registry.see(.sample(9))
        #expect(registry.adopt(files()))
        #expect(registry.entries().count == 4)
        guard case .same(let entry) = registry.find(identity: .sample(2), head: Array("head".utf8))
        else {
            Issue.record("an entered file is not found")
            return
        }
        #expect(entry.offset == 20 && entry.anchor.bytes == Array("anchor 2".utf8))
        #expect(entry.generationCount == 0)
        #expect(registry.advance(entry, to: 30) == 1)
        registry.close()
        let again = try data.open(Recorder())
        #expect(again.entry(entry.file)?.offset == 30)
        #expect(again.entry(own.file) != nil)
        #expect(again.recovery.isWhole)
        again.close()
    }

    @Test("At whichever step writing fails, none of them is on the disk")
    func failures() throws {
        /// The number of the step that fails.
        var failing = 0
        while true {
            let home = try Data()
            let first = try home.open(Recorder())
            let own = first.see(.sample(9))
            first.close()
            let steps = Atomic(Int.max)
            let left = failing
            let recorder = Recorder()
            let registry = try home.open(
                recorder,
                witness: Witness { _ in
                    let step = steps.load(ordering: .relaxed)
                    if step == Int.max { return nil }
                    steps.store(step - 1, ordering: .relaxed)
                    return step <= 0 ? .noSpace : nil
                })
            steps.store(left, ordering: .relaxed)
            let isEntered = registry.adopt(files())
            // What a kill leaves: nothing is closed in order.
            let found = try RegistryReader.read(directory: home.path)
            #expect(found.summary.isWhole)
            let isThere = found.entries.count == 4
            #expect(isThere || found.entries.map(\.file) == [own.file], "step \(failing)")
            if isEntered {
                #expect(isThere && recorder.failures.isEmpty)
                break
            }
            #expect(recorder.failures.count == 1)
            failing += 1
        }
        #expect(failing >= 4)
    }
}
