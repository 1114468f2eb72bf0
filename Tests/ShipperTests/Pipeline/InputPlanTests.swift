import Kafka
import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("Names of topics and keys") struct InputPlanTests {
    private func plan(input: String = "", topic: String? = nil, key: String? = nil) throws
        -> InputPlan
    {
        var text = "inputs:\n  - name: pods\n    paths: [\"/logs/{ns}/{app}/current\"]\n"
        if !input.isEmpty { text += "    \(input)\n" }
        text += "output:\n  kafka:\n    brokers: [a:9092]\n"
        text += "    topic: \"\(topic ?? "logs")\"\n"
        if let key { text += "    key: \"\(key)\"\n" }
        let settings = try Settings.parse(text)
        return InputPlan(settings.inputs[0], settings.output.kafka)
    }

    private let captures = ["ns": "shop", "app": "orders"]

    private func names(
        _ plan: InputPlan, _ captures: [String: String]? = nil, stream: String = "/logs/s/o"
    ) -> [String] {
        let names = plan.names(captures ?? self.captures, stream: stream, day: 0)
        return [names.topic.topic, String(decoding: names.key, as: UTF8.self)]
    }

    @Test("Captures, then fields, then the input's name fill a topic and a key")
    func filled() throws {
        let plan = try plan(
            input: "fields: {env: prod, app: never, shard: 7}",
            topic: "logs.{ns}.{app}.{env}.{input}", key: "{ns}/{shard}")
        #expect(names(plan) == ["logs.shop.orders.prod.pods", "shop/7"])
    }

    @Test("An input's own topic goes before the output's")
    func ownTopic() throws {
        let plan = try plan(input: "topic: \"own.{app}\"", topic: "logs.{ns}")
        #expect(names(plan)[0] == "own.orders")
    }

    @Test("Without a key, and where a key comes out empty, it is the stream's name: order holds")
    func defaultKey() throws {
        #expect(names(try plan()) == ["logs", "/logs/s/o"])
        let empty = try plan(input: "fields: {none: \"\"}", key: "{none}")
        #expect(names(empty) == ["logs", "/logs/s/o"])
    }

    @Test(
        "What Kafka refuses in a topic becomes _, in a key it stays",
        arguments: [
            ("a b", "logs.a_b"), ("Zürich", "logs.Z_rich"), ("a/b:c", "logs.a_b_c"),
            ("..", "logs..."), ("", "logs."), ("\u{1F600}", "logs._"), ("A-z_0.9", "logs.A-z_0.9"),
        ])
    func sanitised(value: String, topic: String) throws {
        let plan = try plan(topic: "logs.{app}", key: "{ns}/{app}")
        let names = names(plan, ["ns": "n", "app": value])
        #expect(names == [topic, "n/\(value)"])
    }

    @Test("A name that is empty or only dots, and one that is too long, still is a topic")
    func extremes() throws {
        let plan = try plan(topic: "{app}")
        #expect(names(plan, ["ns": "n", "app": ""])[0] == "_")
        #expect(names(plan, ["ns": "n", "app": "."])[0] == "_")
        let long = String(repeating: "x", count: 400)
        let topics = ["\(long)a", "\(long)b"].map { names(plan, ["ns": "n", "app": $0])[0] }
        #expect(topics.allSatisfy { $0.utf8.count == TopicName.longest })
        #expect(Set(topics).count == 2)
    }

    @Test("Fields are one JSON object in the order of the file; none is none")
    func fields() throws {
        let plan = try plan(
            input:
                #"fields: {b: "x\"y", a: [1, -2, 2.5, 1e3, true, null, ~], c: {d: e, f: {}, g: []}}"#
        )
        let text = plan.fields.map { String(decoding: $0, as: UTF8.self) }
        #expect(
            text
                == #"{"b":"x\"y","a":[1,-2,2.5,1000,true,null,null],"c":{"d":"e","f":{},"g":[]}}"#)
        #expect(try self.plan().fields == nil)
    }
}
