import HTTPServer
import Platform
import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite struct EndpointsTests {
    private func serve(_ http: String) throws -> (server: HTTPServer?, said: [String]) {
        let settings = try Settings.parse(settingsText(rest: http))
        let lines = LogLines()
        let log = Log(level: .debug, format: .text, sink: lines.add)
        let plan = DescriptorPlan(settings, once: false)
        return (try Endpoints().serve(settings, plan, log), lines.all)
    }

    /// Whoever has the standard port, the test or something else on this machine.
    @Test func withoutItsStandardAddressTheAgentStartsAllTheSame() throws {
        let held = Held()
        let (server, said) = try serve("")
        #expect(server == nil)
        #expect(
            said == [
                "warn  no metrics and no health over HTTP: its standard address cannot be used "
                    + "address=127.0.0.1:9600 "
                    + "error=\"bind 127.0.0.1:9600: Address already in use\" "
                    + "hint=\"set http.listen to another ADDRESS:PORT, or to none\""
            ])
        _ = held
    }

    @Test func anAddressThatWasAskedForIsServedOrRefused() throws {
        let (server, said) = try serve("http: {listen: \"127.0.0.1:0\"}")
        let address = try #require(server).address
        #expect(said == ["info  serving HTTP address=\(address)"])
        // There is no pipeline yet.
        #expect(try httpGet(address, "/healthz").body == "ok\n")
        let ready = try httpGet(address, "/readyz")
        #expect(ready.status == 503 && ready.body.contains("registry: being opened\n"))
        #expect(try httpGet(address, "/metrics").status == 503)
        #expect(try httpGet(address, "/").status == 404)
        do {
            try serve("http: {listen: \"\(address)\"}").server?.stop()
            Issue.record("served twice")
        } catch {
            #expect("\(error)".contains("http.listen: bind \(address): Address already in use"))
        }
        server?.stop()
    }

    @Test func switchedOffItIsServedNowhere() throws {
        let (server, said) = try serve("http: {listen: none}")
        #expect(server == nil && said.isEmpty)
    }

    @Test(.enabled("this machine has no IPv6", Self.hasIPv6))
    func anIPv6AddressIsServed() throws {
        let (server, _) = try serve("http: {listen: \"[::1]:0\"}")
        let address = try #require(server).address
        #expect("\(address)".hasPrefix("[::1]:"))
        #expect(try httpGet(address, "/healthz").status == 200)
        server?.stop()
    }

    private static func hasIPv6() -> Bool {
        guard let address = InternetAddress(host: "::1", port: 0) else { return false }
        do throws(SystemError) {
            _ = try address.listen(backlog: 1)
            return true
        } catch {
            return false
        }
    }

    private final class Held {
        let socket: Descriptor?

        init() {
            do throws(SystemError) {
                socket = try Settings.HTTP.standardAddress.listen(backlog: 1)
            } catch {
                // Something else has it.
                socket = nil
            }
        }
    }
}
