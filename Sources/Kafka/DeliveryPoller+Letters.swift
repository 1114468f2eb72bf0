import Model
import Platform

/// Dead letters: written for lanes that stand still, which go on when they are delivered.
extension DeliveryPoller {
    /// A letter goes by a lane of its own, with all that lanes do: it is tried until it is
    /// acknowledged, also by another client, and what the dead-letter topic refuses is told. The
    /// lane that it is about stands still meanwhile.
    func writeLetters() {
        guard let dead = core.deadLetters else { return }
        while let lane = letters.next() {
            guard let (batch, record) = lane.recordToSetAside else { continue }
            let letter = dead.letter(batch, record, refusal(of: batch, record))
            let slab = PayloadSlab(capacity: max(1, letter.value.count))
            slab.append(letter.value)
            let start = batch.fileOffset(of: record)
            let way = core.lane(topic: dead.topic, key: lane.key, isOfDeadLetters: true)
            let sent = RecordBatch(
                lane: way, slab: slab, recordEnds: [UInt32(letter.value.count)], file: batch.file,
                stream: batch.stream, generation: batch.generation,
                range: ByteRange(start: start, end: start), anchor: .none, credit: 0,
                headers: letter.headers)
            letters.sent(sent, for: lane)
            core.send(sent)
            core.close(way)
        }
    }

    /// Lanes whose letters are delivered go on. What is released is that of files from then on.
    func collectLetters() {
        guard letters.isAnyOut else { return }
        while let index = released.firstIndex(where: \.lane.isOfDeadLetters) {
            let letter = released.remove(at: index)
            guard let lane = letters.delivered(letter) else { continue }
            if let (batch, record) = lane.recordToSetAside {
                core.observer.report(
                    .recordSetAside(refusal(of: batch, record), deadLetterTopic: letter.lane.topic))
            }
            follow(lane.setAside(now: now, released: &released), lane)
            if lane.flowsAgain() { core.observer.report(.laneFlows(topic: lane.topic)) }
            forgetIfFinished(lane)
            writeLetters()
        }
    }
}
