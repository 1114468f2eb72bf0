import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("An end that is asked for comes") struct EndWatchTests {
    @Test("Who asks twice before there is a pipeline does not wait for deliveries either")
    func hurriedBeforeStart() throws {
        let directory = try TemporaryDirectory()
        try directory.write("logs/a.log", "one\n")
        let settings = try Settings.parse(
            """
            data: \(directory.path("data"))
            shutdown_timeout: 100s
            inputs: [{name: pods, paths: ["\(directory.path("logs"))/*.log"]}]
            output: {kafka: {brokers: ["127.0.0.1:1"], topic: logs}}

            """)
        let log = Log(level: .error, format: .text) { _ in }
        let pipeline = try Pipeline(settings, once: false, log: log)
        // Nobody takes it.
        try eventually("the line is read") { pipeline.inFlight > 0 }
        let watch = try EndWatch(
            patience: settings.shutdownTimeout, code: .internalFault, log: log)
        watch.ask()
        watch.hurry()
        watch.follow(pipeline)
        watch.isOver()
        #expect(try pipeline.waitForEnd() == .interrupted)
        let began = ContinuousClock.now
        #expect(pipeline.stop().undelivered == 1)
        #expect(ContinuousClock.now - began < .seconds(50))
    }
}
