import Model
import Platform
import Testing

@testable import Tailer

@Suite("A compressed file waits for the removal of what it seems to be made of")
struct InheritanceTests {
    private let second: Int64 = 1_000_000_000
    private let start = MonotonicTime.now()

    private func key(_ inode: Int) -> InodeKey { InodeKey(device: 1, inode: UInt64(inode)) }

    @Test("for half a minute after the last byte was written, and an hour at the most")
    func patience() {
        let inheritance = Inheritance()
        #expect(inheritance.waits(key(1), stillness: 0, start))
        #expect(inheritance.waits(key(1), stillness: 29 * second, start + 29 * second))
        #expect(!inheritance.waits(key(1), stillness: 30 * second, start + 30 * second))
        // It is written to all the time.
        #expect(inheritance.waits(key(1), stillness: 0, start + 3_599 * second))
        #expect(!inheritance.waits(key(1), stillness: 0, start + 3_600 * second))
        inheritance.forget(key(1))
        #expect(inheritance.waits(key(1), stillness: 0, start + 3_600 * second))
    }

    @Test("Where somebody makes thousands of them, none of the others waits")
    func bound() {
        let inheritance = Inheritance()
        for inode in 0..<1_024 { #expect(inheritance.waits(key(inode), stillness: 0, start)) }
        #expect(!inheritance.waits(key(5_000), stillness: 0, start + second))
        #expect(inheritance.waits(key(7), stillness: 0, start + second))
        // They are over some day.
        #expect(inheritance.waits(key(5_000), stillness: 0, start + 3_601 * second))
    }

    private func origin(_ file: Int) -> FileOrigin {
        FileOrigin(
            file: FileID(number: file),
            identity: FileIdentity(handle: nil, device: 1, inode: UInt64(file), birth: nil),
            path: "/log/a", hasLeft: false, position: .start, anchor: .none, unread: nil,
            isNamesake: true)
    }

    @Test("What was removed before its turn is forgotten, where there are thousands")
    func removed() {
        let inheritance = Inheritance()
        for file in 0..<10_000 {
            inheritance.inherits(origin(file)) { $0.number >= file - 100 }
        }
        let kept = (0..<10_000).filter { inheritance.awaitsTurn(FileID(number: $0)) }
        #expect(kept.count <= 1_124 && kept.suffix(101) == ArraySlice(9_899..<10_000))
    }

    @Test("One that has an entry waits for its turn, and then for being compared")
    func turns() {
        let inheritance = Inheritance()
        let file = FileID(number: 3)
        #expect(!inheritance.awaitsTurn(file) && !inheritance.takeUp(file))
        inheritance.inherits(origin(3)) { _ in true }
        #expect(inheritance.awaitsTurn(file))
        #expect(inheritance.takeUp(file))
        #expect(!inheritance.awaitsTurn(file) && !inheritance.takeUp(file))
        #expect(inheritance.decide(file)?.path == "/log/a")
        #expect(inheritance.decide(file) == nil && !inheritance.takeUp(file))
    }
}
