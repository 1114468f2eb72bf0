import HTTPServer
import Platform
import Settings
import Synchronization

/// The agent's answers over HTTP: `/metrics`, `/healthz`, `/readyz`, `/status`. Sendable; asked on
/// the HTTP thread, from before there is a pipeline until after it has stopped.
final class Endpoints: Sendable {
    private enum State: Sendable {
        /// There was no pipeline yet.
        case starting
        case running(Pipeline)
        /// One has ended with these figures, and another one is about to begin.
        case between(Figures)
    }
    private let state = Mutex(State.starting)
    private let reloads: Reloads

    init(_ reloads: Reloads = Reloads()) { self.reloads = reloads }

    /// Tells of this pipeline from now on.
    func follow(_ pipeline: Pipeline) { state.withLock { $0 = .running(pipeline) } }

    /// Tells of the last figures of the pipeline that it followed, and lets that go.
    func unfollow() {
        guard let figures else { return }
        state.withLock { $0 = .between(figures) }
    }

    /// Of this moment; nil before there was a pipeline.
    var figures: Figures? { figures(state.withLock { $0 }) }

    private func figures(_ state: State) -> Figures? {
        var figures: Figures
        switch state {
        case .starting: return nil
        case .running(let pipeline): figures = pipeline.figures
        case .between(let last): figures = last
        }
        figures.configHash = reloads.hash
        figures.reloads = reloads.counts
        return figures
    }

    /// Of this moment.
    var health: Health {
        switch state.withLock({ $0 }) {
        case .starting: .starting
        case .running(let pipeline): pipeline.health(refusal: reloads.refusal)
        case .between: .reloading
        }
    }

    /// Serves where the settings say, or nowhere. Throws where the operator named an address that
    /// cannot be listened on; the standard one, which nobody asked for, is given up with a warning.
    func serve(
        _ settings: Settings, _ plan: DescriptorPlan, _ log: Log
    ) throws(PipelineError) -> HTTPServer? {
        let address: InternetAddress
        switch settings.http.listen {
        case .none: return nil
        case .standard: address = Settings.HTTP.standardAddress
        case .address(let chosen): address = chosen
        }
        guard plan.connections > 0 else { return nil }
        var limits = HTTPServer.Limits()
        limits.connections = plan.connections
        do throws(HTTPError) {
            let server = try HTTPServer(address, limits: limits, onlyLocal: ["/status"]) {
                [self] in answer($0)
            }
            log.info("serving HTTP", ["address": "\(server.address)"])
            return server
        } catch {
            guard case .standard = settings.http.listen else { throw .http(error) }
            log.warn(
                "no metrics and no health over HTTP: its standard address cannot be used",
                [
                    "address": "\(address)", "error": "\(error)",
                    "hint": "set http.listen to another ADDRESS:PORT, or to none",
                ])
            return nil
        }
    }

    /// Nil: there is no such page.
    func answer(_ path: String) -> HTTPResponse? {
        switch path {
        case "/metrics":
            guard let figures else { return .text(503, "the agent is starting\n") }
            let page = Metric.page(figures)
            return HTTPResponse(
                status: 200, contentType: MetricText.contentType, body: Array(page.utf8))
        case "/healthz":
            let faults = health.alive.filter { $0.fault != nil }
            return faults.isEmpty ? .text(200, "ok\n") : .text(503, faults.text)
        case "/readyz":
            let ready = health.ready
            return .text(ready.areMet ? 200 : 503, ready.text)
        case "/status":
            guard let status else {
                return .text(503, "the agent is starting, or changes its configuration\n")
            }
            return HTTPResponse(
                status: 200, contentType: "application/json", body: status.json)
        default:
            return nil
        }
    }

    /// Nil while there is no pipeline.
    private var status: AgentStatus? {
        let state = state.withLock { $0 }
        guard case .running(let pipeline) = state, let figures = figures(state) else { return nil }
        return AgentStatus(
            pipeline.settings, figures, pipeline.health(refusal: reloads.refusal),
            faults: pipeline.log.lastFaults)
    }
}
