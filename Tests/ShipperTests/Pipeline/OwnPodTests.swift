import Patterns
import Testing

@testable import Shipper

@Suite("The agent's own pod") struct OwnPodTests {
    @Test("Its logs are left out of all paths that name pods, and no other pod's")
    func logs() throws {
        let pod = try #require(
            OwnPod(["POD_NAME": "shipper-x7k2p", "POD_NAMESPACE": "logging"]))
        let globs = pod.logs(of: [
            try PathPattern("/var/log/pods/{namespace}_{pod}_{uid}/{container}/*.log"),
            try PathPattern("/data/logs/{namespace}/{app}*/{pod}/log/**/current"),
            try PathPattern("/var/log/*.log"),
        ])
        #expect(globs.count == 2)
        func isOwn(_ path: String) -> Bool { globs.contains { $0.matches(path) } }
        #expect(isOwn("/var/log/pods/logging_shipper-x7k2p_0123-4567/shipper/0.log"))
        #expect(isOwn("/data/logs/logging/shipper/shipper-x7k2p/log/a/b/current"))
        #expect(!isOwn("/var/log/pods/logging_shipper-x7k2q_0123-4567/shipper/0.log"))
        #expect(!isOwn("/var/log/pods/other_shipper-x7k2p_0123-4567/shipper/0.log"))
        #expect(!isOwn("/var/log/syslog.log"))
    }

    @Test("Without a namespace any has it, and without a name there is none")
    func unknown() throws {
        let pod = try #require(OwnPod(["POD_NAME": "a[b]*"]))
        let glob = try #require(
            pod.logs(of: [try PathPattern("/p/{namespace}_{pod}_{uid}/{c}*/*.log")]).first)
        #expect(glob.matches("/p/x_a[b]*_1/c/0.log"))
        #expect(!glob.matches("/p/x_ab_1/c/0.log"))
        #expect(OwnPod([:]) == nil && OwnPod(["POD_NAME": ""]) == nil)
    }
}
