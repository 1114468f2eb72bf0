import Platform
import Testing

@testable import Tailer

@Suite("The first line of a content waits for looks at its directory")
struct FirstLineWaitTests {
    private let node = DirectoryNode(root: 0, path: [], text: "/log", places: [])

    private func after(milliseconds: Int64) -> MonotonicTime {
        .zero + milliseconds * 1_000_000
    }

    /// A look begins, and is gone through.
    private func look() {
        node.listings += 1
        node.listingsDone = node.listings
    }

    /// There is news, and it is waited for.
    private func expectNews(_ wait: inout FirstLineWait) {
        let waits = wait.waits(in: node)
        #expect(waits)
    }

    /// 1. A directory rests after a scan that was interrupted for long.
    /// 2. Turns pass meanwhile, as many as there is time for.
    @Test("it waits for a look, however many turns pass before that")
    func turnsDoNotCount() {
        var wait = FirstLineWait(since: 0)
        expectNews(&wait)
        for turn in 0..<1_000 { #expect(wait.stands(in: node, after(milliseconds: Int64(turn)))) }
        look()
        #expect(!wait.stands(in: node, after(milliseconds: 1_000)))
    }

    @Test("a look whose listing was made before the news tells nothing of it")
    func oldListing() {
        node.listings += 1
        var wait = FirstLineWait(since: 0)
        expectNews(&wait)
        node.listingsDone = node.listings
        #expect(wait.stands(in: node, after(milliseconds: 1)))
        look()
        #expect(!wait.stands(in: node, after(milliseconds: 1)))
    }

    @Test("where there is news with each look, it waits for sixteen of them")
    func always() {
        var wait = FirstLineWait(since: 0)
        var looks = 0
        while wait.waits(in: node) {
            look()
            looks += 1
        }
        #expect(looks == 16)
        #expect(wait.isOver(in: node, 0))
    }

    @Test("events of others that do not end hold it up for half a second")
    func storm() {
        var wait = FirstLineWait(since: 0)
        for _ in 0..<2 {
            expectNews(&wait)
            look()
        }
        #expect(!wait.isOver(in: node, after(milliseconds: 500)))
        #expect(wait.isOver(in: node, after(milliseconds: 501)))
    }

    @Test("a large directory that rests is waited for half a second, a small one five")
    func rest() {
        var wait = FirstLineWait(since: 0)
        expectNews(&wait)
        #expect(wait.stands(in: node, after(milliseconds: 5_000)))
        #expect(!wait.stands(in: node, after(milliseconds: 5_001)))
        node.names = 1_025
        #expect(wait.stands(in: node, after(milliseconds: 500)))
        #expect(!wait.stands(in: node, after(milliseconds: 501)))
    }
}
