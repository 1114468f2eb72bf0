import Testing

@testable import Shipper

@Suite("Topics that directories give their names") struct TopicAllowanceTests {
    private static let day = TopicAllowance.remembered

    @Test("One directory that takes all it can get leaves some for whoever comes next")
    func pool() {
        var topics = TopicAllowance(limit: 1_000)
        for number in 0..<5_000 {
            let answer = topics.enter("greedy.\(number)", for: "greedy.\(number)", of: "/g", now: 0)
            #expect(answer == (number < 500 ? .granted : .shareTaken))
        }
        for number in 0..<5_000 {
            let answer = topics.enter("next.\(number)", for: "next.\(number)", of: "/n", now: 0)
            #expect(answer == (number < 250 ? .granted : .shareTaken))
        }
        for directory in 0..<250 {
            let name = "one.\(directory)"
            #expect(topics.enter(name, for: name, of: "/\(directory)", now: 0) == .granted)
        }
        #expect(topics.enter("last", for: "last", of: "/last", now: 0) == .full)
        #expect(topics.count == 1_000)
        #expect(
            topics.enter("greedy.7", for: "greedy.7", of: "/g", now: 0) == .granted, "it has it")
    }

    @Test("A topic counts for a day after its last stream: one directory after the other is no way")
    func remembered() {
        var topics = TopicAllowance(limit: 1)
        #expect(topics.enter("a", for: "a", of: "/a", now: 0) == .granted)
        #expect(topics.enter("a", for: "a", of: "/a", now: 0) == .granted)
        topics.leave("a", now: 5)
        #expect(
            topics.enter("b", for: "b", of: "/b", now: 6 + Self.day) == .full, "it has a stream")
        topics.leave("a", now: 7)
        #expect(topics.enter("b", for: "b", of: "/b", now: 6 + Self.day) == .full)
        #expect(topics.enter("b", for: "b", of: "/b", now: 7 + Self.day) == .granted)
        #expect(topics.enter("a", for: "a", of: "/a", now: 7 + Self.day) == .full)
        topics.leave("never", now: 8)
        #expect(topics.count == 1)
    }

    @Test("A topic whose day is over makes room at once, when its last stream has left it so")
    func over() {
        var topics = TopicAllowance(limit: 2)
        #expect(topics.enter("a", for: "a", of: "/a", now: 0) == .granted)
        #expect(topics.enter("a", for: "a", of: "/a", now: 0) == .granted)
        topics.leave("a", now: 1, isOver: true)
        #expect(topics.count == 1, "it has a stream")
        topics.leave("a", now: 1, isOver: true)
        #expect(topics.count == 0)
        // Its directory has its share again, too.
        #expect(topics.enter("b", for: "b", of: "/a", now: 1) == .granted)
        #expect(topics.enter("c", for: "c", of: "/c", now: 1) == .granted)
        #expect(topics.enter("c", for: "c", of: "/c", now: 1) == .granted)
        topics.leave("c", now: 1, isOver: true)
        topics.leave("c", now: 1)
        #expect(topics.count == 2, "who was there last was not in it on its day")
    }

    @Test("Two names that become one topic never have it at a time")
    func collision() {
        var topics = TopicAllowance(limit: 10)
        #expect(topics.enter("a_b", for: "a b", of: "/x", now: 0) == .granted)
        #expect(topics.enter("a_b", for: "a_b", of: "/y", now: 0) == .taken(by: "a b"))
        topics.leave("a_b", now: 1)
        #expect(topics.enter("a_b", for: "a_b", of: "/y", now: 2) == .granted)
        #expect(topics.enter("a_b", for: "a b", of: "/x", now: 3) == .taken(by: "a_b"))
    }
}
