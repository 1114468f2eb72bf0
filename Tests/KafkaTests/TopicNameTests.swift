import Kafka
import Testing

@Suite struct TopicNameTests {
    @Test(arguments: [
        ("logs.shop.orders_1-a", "logs.shop.orders_1-a"),
        ("logs/shop orders:ä☃\n", "logs_shop_orders____"),
        ("", "_"), (".", "_"), ("..", "_"), ("...", "..."), ("/", "_"), ("e\u{301}", "e_"),
        ("\u{212A}elvin", "_elvin"), ("٣", "_"),
    ])
    func whatKafkaRefusesBecomesAnUnderscore(name: String, expected: String) {
        #expect(TopicName.legal(name) == expected)
    }

    @Test func aNameOfTheLongestLengthStaysAndALongerOneIsCut() {
        let longest = String(repeating: "a", count: 249)
        #expect(TopicName.legal(longest) == longest)
        let cut = TopicName.legal(longest + "a")
        #expect(cut.utf8.count == 249)
        #expect(cut.hasPrefix(String(repeating: "a", count: 240) + "-"))
        #expect(cut.utf8.suffix(8).allSatisfy { "0123456789abcdef".utf8.contains($0) })
    }

    @Test func longNamesThatDifferAtTheirEndsStayTwo() {
        let long = String(repeating: "a", count: 300)
        #expect(TopicName.legal(long + "b") != TopicName.legal(long + "c"))
        // They would be one without the hash being taken before characters are replaced.
        #expect(TopicName.legal(long + "/") != TopicName.legal(long + ":"))
        #expect(TopicName.legal(long) == TopicName.legal(long))
    }
}
