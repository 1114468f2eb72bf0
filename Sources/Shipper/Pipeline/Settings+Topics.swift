import Kafka
import Patterns
import Settings

extension Settings {
    /// Topics that come out otherwise than somebody may have meant, in words for an operator.
    var topicDoubts: [String] {
        var doubts: [String] = []
        for input in inputs {
            let topic = input.topic
            let captured = Set(input.paths.flatMap { $0.captures })
            if case .reference(let name)? = topic.parts.first, captured.contains(name) {
                doubts.append(
                    "topic \(topic.text) of input \(input.name) begins with a piece of the path: whoever "
                        + "may make directories there can name any topic; begin it with a text, as in "
                        + "logs.\(topic.text)")
            }
            let literal = topic.parts.map { part in
                switch part {
                case .literal(let text): text
                case .reference: "a"
                case .date(let format): format.text(ofDay: 0)
                }
            }.joined()
            if literal.utf8.count <= TopicName.longest, TopicName.legal(literal) != literal {
                doubts.append(
                    "topic \(topic.text) of input \(input.name) has characters that Kafka refuses; each of "
                        + "them becomes _")
            }
        }
        return doubts
    }
}
