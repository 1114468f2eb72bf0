import Kafka
import Platform
import Testing

@testable import Shipper

@Suite struct HealthTests {
    private func change(_ change: (inout Health.Facts) -> Void) -> Health {
        var facts = Health.Facts()
        change(&facts)
        return Health(facts)
    }

    @Test func allIsWell() {
        let health = change { _ in }
        #expect(health.alive.areMet && health.ready.areMet)
        #expect(
            health.ready.text
                == "configuration: ok\nregistry: ok\nfirst scan: ok\nbrokers: ok\n")
    }

    @Test func whatARestartWouldNotMendIsNoReasonForOne() {
        for health in [
            change { $0.brokerReach = .lost }, change { $0.brokerReach = .unknown },
            change { $0.whyNotSaved = "disk full" }, change { $0.isScanned = false },
            change { $0.isKeeperLate = true }, change { $0.isStopping = true }, .starting,
        ] {
            #expect(health.alive.areMet)
            #expect(!health.ready.areMet, "\(health.ready.text)")
        }
    }

    @Test func aThreadThatHangsIsNeitherAliveNorReady() {
        let reader = change { $0.isReaderLate = true }
        #expect(!reader.alive.areMet && !reader.ready.areMet)
        #expect(reader.alive.text.hasPrefix("reader: hangs"))
        let poller = change { $0.isPollerLate = true }
        #expect(poller.alive.text.contains("\ndeliveries: hangs"))
        #expect(
            poller.ready.text.hasSuffix(
                "deliveries: hangs: nothing was heard of it for a minute\n"))
    }

    @Test func aRefusedConfigurationIsToldAndIsNoReasonForARestart() {
        let health = change { $0.refusal = "shipper.yaml:3:5: what?\nand more" }
        #expect(health.alive.areMet && !health.ready.areMet)
        #expect(
            health.ready.text.hasPrefix(
                "configuration: an older one runs, for the newest was refused: "
                    + "shipper.yaml:3:5: what? and more\nregistry: ok\n"))
        #expect(Health.reloading.alive.areMet && !Health.reloading.ready.areMet)
    }

    @Test func eachConditionKeepsToItsLine() {
        let health = change { $0.whyNotSaved = "/data\nof nobody: no space" }
        #expect(health.ready.text.contains("\nregistry: /data of nobody: no space\n"))
    }

    @Test func aTopicThatNobodyMadeIsNamedWithWhatToDo() {
        let fault = TopicFault(topic: "logs.x", reason: "IS_AWAY: not there", hint: "make it")
        let health = change { $0.topics = [fault] }
        #expect(health.alive.areMet && !health.ready.areMet)
        #expect(health.ready.text.hasSuffix("\ntopic logs.x: IS_AWAY: not there; make it\n"))
        let many = change { $0.topics = Array(repeating: fault, count: 13) }
        #expect(many.ready.text.hasSuffix("\ntopics: 3 more cannot be written to\n"))
    }

    @Test func aClientThatDiedIsNamedWithTheCause() {
        let health = change { $0.producerDeath = "_FENCED: by another" }
        #expect(health.alive.areMet && !health.ready.areMet)
        #expect(
            health.ready.text.hasSuffix(
                "\nproducer: gave up, and is made anew: _FENCED: by another\n"))
    }

    @Test func aHeartbeatIsLateAfterItsWaitAndAMinute() {
        let heartbeat = Heartbeat()
        #expect(!heartbeat.isLate(.max - 1))
        let now = Clock.monotonicNanoseconds()
        heartbeat.beat(waiting: 5_000_000_000)
        #expect(!heartbeat.isLate(now + 64_000_000_000))
        #expect(heartbeat.isLate(now + 70_000_000_000))
        heartbeat.beat()
        #expect(heartbeat.isLate(now + 64_000_000_000))
        heartbeat.beat(waiting: nil)
        #expect(!heartbeat.isLate(.max - 1))
        heartbeat.beat(waiting: .max)
        #expect(!heartbeat.isLate(.max - 1))
    }
}
