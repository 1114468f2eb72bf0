import Testing

@testable import Tailer

@Suite("What is done about a name in an s6 log directory")
struct S6PlanTests {
    private typealias Item = S6Plan.Item

    private let roles: [S6Plan.Role] = [.archive, .previous, .current]

    @Test("what is open or was read is passed, whatever else is known of it")
    func known() {
        for role in roles {
            let item = Item(
                role: role, isKnown: true, isFull: true, isAwaited: true, held: .file(role),
                isTaken: true)
            #expect(S6Plan.step(for: item) == .pass)
        }
    }

    @Test("what is newer waits for room, and for what a processor makes")
    func waits() {
        for role in roles {
            #expect(
                S6Plan.step(for: Item(role: role, isFull: true, isAwaited: true)) == .waitForRoom)
            #expect(
                S6Plan.step(for: Item(role: role, isAwaited: true, held: .file(role)))
                    == .waitForProcessor)
        }
    }

    @Test("a file that was opened first is read by its descriptor, under whatever name it is now")
    func held() {
        for role in roles {
            #expect(
                S6Plan.step(for: Item(role: role, held: .file(.current))) == .openHeld(.current))
            #expect(
                S6Plan.step(for: Item(role: role, held: .file(.previous))) == .openHeld(.previous))
        }
    }

    @Test("an archive is opened by its name")
    func archive() {
        #expect(S6Plan.step(for: Item(role: .archive)) == .open)
        // As previous it could not be.
        #expect(S6Plan.step(for: Item(role: .archive, held: .refused)) == .open)
    }

    @Test("a previous that came after the first listing is the next look's, and all that is newer")
    func newerPrevious() {
        #expect(S6Plan.step(for: Item(role: .previous)) == .endLook)
        #expect(S6Plan.step(for: Item(role: .previous, held: .refused)) == .takeRefusal)
    }

    @Test("a current that came after the first listing is the next look's, if there is one")
    func newerCurrent() {
        #expect(S6Plan.step(for: Item(role: .current)) == .leaveToNextLook)
        #expect(S6Plan.step(for: Item(role: .current, once: true)) == .pass)
        #expect(S6Plan.step(for: Item(role: .current, held: .refused)) == .pass)
    }

    @Test("a current that another stream reads is left to it")
    func taken() {
        for once in [false, true] {
            #expect(
                S6Plan.step(for: Item(role: .current, isTaken: true, once: once)) == .leaveToOther)
        }
        #expect(
            S6Plan.step(for: Item(role: .current, held: .refused, isTaken: true)) == .leaveToOther)
    }

    // MARK: What follows

    private func next(
        _ outcome: S6Plan.Outcome, _ role: S6Plan.Role, isPhantom: Bool = false,
        isFirstScan: Bool = false, isProcessed: Bool = false, hasProduct: Bool = false
    ) -> S6Plan.Next {
        S6Plan.next(
            after: outcome, of: role, isPhantom: isPhantom, isFirstScan: isFirstScan,
            isProcessed: { isProcessed }, hasProduct: { hasProduct })
    }

    @Test("without a descriptor for a file, or while a processor is at work, nothing newer is read")
    func order() {
        for role in roles {
            #expect(next(.done, role) == .goOn)
            #expect(next(.noRoom, role) == .end)
            #expect(next(.heldUp, role) == .lookAgain)
        }
    }

    @Test("a previous that is missing has become an archive, or a processor makes one of it")
    func previousVanished() {
        #expect(next(.missing, .previous) == .lookAgainForPrevious)
        #expect(next(.missing, .previous, isProcessed: true) == .end)
        #expect(next(.missing, .previous, isFirstScan: true) == .lookAgainForPrevious)
    }

    @Test(
        "an archive that went unopened is missed, but for one that was there before the agent")
    func archiveVanished() {
        #expect(next(.missing, .archive) == .missed)
        #expect(next(.missing, .archive, isFirstScan: true) == .goOn)
        #expect(next(.missing, .archive, hasProduct: true) == .lookAgain)
    }

    @Test("a name that the listing goes on having is told of once, and holds up nothing")
    func phantom() {
        for role in roles { #expect(next(.missing, role, isPhantom: true) == .ignore) }
    }

    @Test("that there is no current is a rotation under way")
    func currentMissing() { #expect(next(.missing, .current) == .goOn) }
}
