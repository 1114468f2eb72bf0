import FoundationEssentials
import Shipper
import TestSupport
import Testing

/// Against a real API server. KUBERNETES_HOME is a directory whose `bin/kube` starts one.
@Suite struct KubernetesTests {
    static let home = environmentValue("KUBERNETES_HOME")

    @Test(.enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func theManifestsAreAdmittedAndStayAsTheyAre() throws {
        let cluster = try Cluster(kube: "\(try #require(Self.home))/bin/kube")
        let namespace = try cluster.kubectl(
            ["apply", "-k", Deployment.path("namespace")])
        #expect(namespace.output == "namespace/shipper created\n", "\(namespace.errors)")
        let applied = try cluster.kubectl(["apply", "-k", Deployment.path("kubernetes")])
        #expect(applied.exit == .code(0), "\(applied.errors)")
        for object in ["serviceaccount/shipper", "daemonset.apps/shipper"] {
            #expect(applied.output.contains("\(object) created\n"))
        }
        // A field that the server does not know or a value that it rewrites would differ.
        let difference = try cluster.kubectl(["diff", "-k", Deployment.path("kubernetes")])
        #expect(difference.exit == .code(0) && difference.output.isEmpty, "\(difference.output)")
        #expect(applied.errors.isEmpty && difference.errors.isEmpty, "\(applied.errors)")

        let shown = try cluster.kubectl(
            ["get", "daemonset", "shipper", "--namespace=shipper", "--output=json"])
        let pod = try JSONDecoder().decode(DaemonSet.self, from: Data(shown.output.utf8))
            .spec.template.spec
        #expect(pod.automountServiceAccountToken == false)
        #expect(pod.nodeSelector == ["kubernetes.io/os": "linux"])
        let container = try #require(pod.containers.first)
        let security = container.securityContext
        #expect(security.runAsUser == 0)
        #expect(security.capabilities.drop == ["ALL"])
        #expect(security.capabilities.add == ["DAC_READ_SEARCH", "LEASE"])
        #expect(security.readOnlyRootFilesystem && !security.allowPrivilegeEscalation)
        #expect(security.seccompProfile.type == "RuntimeDefault")
        let logs = try #require(container.volumeMounts.first { $0.name == "logs" })
        #expect(logs.readOnly == true && logs.mountPropagation == "HostToContainer")

        // The volume's ConfigMap is the one that was generated, with every comment.
        let map = try #require(pod.volumes.compactMap(\.configMap).first).name
        let settings = try cluster.kubectl(
            [
                "get", "configmap", map, "--namespace=shipper",
                "--output=jsonpath={.data.shipper\\.yaml}",
            ])
        #expect(settings.output == (try Deployment.text("kubernetes/shipper.yaml")))

        let may = try cluster.kubectl(
            ["auth", "can-i", "list", "pods", "--as=system:serviceaccount:shipper:shipper"])
        #expect(may.output == "no\n")

        let deleted = try cluster.kubectl(
            ["delete", "-k", Deployment.path("kubernetes"), "--wait=false"])
        #expect(deleted.exit == .code(0), "\(deleted.errors)")
    }

    /// An API server that has taken an overlay, as it was written.
    private func admit(_ overlay: String) throws -> Cluster {
        let cluster = try Cluster(kube: "\(try #require(Self.home))/bin/kube")
        let namespace = try cluster.kubectl(["apply", "-k", Deployment.path("namespace")])
        #expect(namespace.exit == .code(0), "\(namespace.errors)")
        let path = Deployment.path(overlay)
        let applied = try cluster.kubectl(["apply", "-k", path])
        #expect(applied.exit == .code(0) && applied.errors.isEmpty, "\(applied.errors)")
        #expect(applied.output.contains("daemonset.apps/shipper created\n"))
        let difference = try cluster.kubectl(["diff", "-k", path])
        #expect(difference.exit == .code(0) && difference.output.isEmpty, "\(difference.output)")
        return cluster
    }

    /// A map holds the settings of an overlay.
    private func expectSettings(of overlay: String, in map: String, of cluster: Cluster) throws {
        let settings = try cluster.kubectl(
            [
                "get", "configmap", map, "--namespace=shipper",
                "--output=jsonpath={.data.shipper\\.yaml}",
            ])
        #expect(settings.output == (try Deployment.text("\(overlay)/shipper.yaml")))
    }

    @Test(
        "The overlay for TLS and SASL is admitted: a password by secretKeyRef, a certificate by a mount",
        .enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func secureOverlay() throws {
        let cluster = try admit("kafka-sasl-tls")
        func asked(_ path: String) throws -> String {
            try cluster.kubectl(
                ["get", "daemonset", "shipper", "--namespace=shipper", "--output=jsonpath=\(path)"]
            ).output
        }
        let pod = "{.spec.template.spec"
        let environment = "\(pod).containers[0].env[?(@.name==\"KAFKA_PASSWORD\")]"
        #expect(
            try asked("\(environment).valueFrom.secretKeyRef.name}") == "shipper-kafka")
        #expect(try asked("\(environment).value}").isEmpty)
        #expect(
            try asked("\(pod).containers[0].volumeMounts[?(@.name==\"kafka-ca\")].mountPath}")
                == "/etc/kafka")
        #expect(
            try asked("\(pod).volumes[?(@.name==\"kafka-ca\")].configMap.name}")
                == "shipper-kafka-ca")
        let map = try asked("\(pod).volumes[?(@.name==\"config\")].configMap.name}")
        try expectSettings(of: "kafka-sasl-tls", in: map, of: cluster)
    }

    @Test(
        "The overlay for all pods' logs is admitted: /var/log/pods alone, read-only, and the pod's name",
        .enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func podLogsOverlay() throws {
        let cluster = try admit("pod-logs")
        let shown = try cluster.kubectl(
            ["get", "daemonset", "shipper", "--namespace=shipper", "--output=json"])
        let pod = try JSONDecoder().decode(DaemonSet.self, from: Data(shown.output.utf8))
            .spec.template.spec
        let mounts = try #require(pod.containers.first).volumeMounts
        #expect(Set(mounts.map(\.name)) == ["config", "registry", "pod-logs"])
        #expect(mounts.first { $0.name == "pod-logs" }?.readOnly == true)
        func asked(_ path: String) throws -> String {
            try cluster.kubectl(
                ["get", "daemonset", "shipper", "--namespace=shipper", "--output=jsonpath=\(path)"]
            ).output
        }
        #expect(
            try asked(
                "{.spec.template.spec.volumes[*].hostPath.path}")
                == "/var/log/pods /var/lib/shipper")
        #expect(
            try asked(
                "{.spec.template.spec.containers[0].env[*].valueFrom.fieldRef.fieldPath}")
                == "metadata.name metadata.namespace spec.nodeName")
        let map = try asked(
            "{.spec.template.spec.volumes[?(@.name==\"config\")].configMap.name}")
        try expectSettings(of: "pod-logs", in: map, of: cluster)
    }

    @Test(
        "O6: the overlay that rotates is admitted: logs for writing, and three capabilities",
        .enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func rotateOverlay() throws {
        let cluster = try admit("rotate")
        let shown = try cluster.kubectl(
            ["get", "daemonset", "shipper", "--namespace=shipper", "--output=json"])
        let pod = try JSONDecoder().decode(DaemonSet.self, from: Data(shown.output.utf8))
            .spec.template.spec
        let container = try #require(pod.containers.first)
        let security = container.securityContext
        #expect(security.capabilities.drop == ["ALL"])
        // DAC_READ_SEARCH beside DAC_OVERRIDE would open any file of the node for writing.
        #expect(security.capabilities.add == ["CHOWN", "DAC_OVERRIDE", "LEASE"])
        #expect(security.readOnlyRootFilesystem && !security.allowPrivilegeEscalation)
        #expect(security.seccompProfile.type == "RuntimeDefault")
        // The mount of the base, but for writing.
        #expect(container.volumeMounts.map(\.name).sorted() == ["config", "logs", "registry"])
        let logs = try #require(container.volumeMounts.first { $0.name == "logs" })
        #expect(logs.readOnly != true && logs.mountPropagation == "HostToContainer")
        let map = try #require(pod.volumes.compactMap(\.configMap).first).name
        try expectSettings(of: "rotate", in: map, of: cluster)
    }

    @Test(
        "An overlay for a namespace that is there already neither changes nor deletes it",
        .enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func overlay() throws {
        let cluster = try Cluster(kube: "\(try #require(Self.home))/bin/kube")
        let directory = try TemporaryDirectory()
        for file in try directoryNames(Deployment.path("kubernetes")) {
            try directory.write("base/\(file)", Deployment.text("kubernetes/\(file)"))
        }
        try directory.write(
            "ours/kustomization.yaml", "namespace: logging\nresources: [../base]\n")
        func done(_ arguments: [String]) throws -> String {
            let result = try cluster.kubectl(arguments)
            #expect(result.exit == .code(0), "\(arguments): \(result.errors)")
            return result.output
        }
        _ = try done(["create", "namespace", "logging"])
        _ = try done(
            ["label", "namespace", "logging", "pod-security.kubernetes.io/enforce=baseline"])
        _ = try done(["create", "configmap", "theirs", "--namespace=logging"])
        let labels = ["get", "namespaces", "--output=jsonpath={.items[*].metadata.labels}"]
        let before = try done(labels)
        let applied = try done(["apply", "-k", directory.path("ours")])
        #expect(applied.contains("daemonset.apps/shipper created\n"))
        #expect(!applied.contains("namespace/"))
        #expect(
            try done(["get", "daemonset", "shipper", "--namespace=logging"]).contains("shipper"))
        #expect(try done(labels) == before)
        let deleted = try done(["delete", "-k", directory.path("ours"), "--wait=false"])
        #expect(deleted.contains("\"shipper\" deleted") && !deleted.contains("namespace \""))
        #expect(
            try done(["get", "configmap", "theirs", "--namespace=logging", "--output=name"])
                == "configmap/theirs\n")
        #expect(try done(labels) == before)
    }

    @Test(
        "The component makes the namespace of an overlay's name, and both go together",
        .enabled(if: home != nil, "KUBERNETES_HOME is not set: there is no API server to ask"))
    func component() throws {
        let cluster = try Cluster(kube: "\(try #require(Self.home))/bin/kube")
        let directory = try TemporaryDirectory()
        for part in ["kubernetes", "namespace"] {
            for file in try directoryNames(Deployment.path(part)) {
                try directory.write("\(part)/\(file)", Deployment.text("\(part)/\(file)"))
            }
        }
        try directory.write(
            "ours/kustomization.yaml",
            "namespace: agents\nresources: [../kubernetes]\ncomponents: [../namespace]\n")
        let ours = directory.path("ours")
        let applied = try cluster.kubectl(["apply", "-k", ours])
        #expect(applied.output.contains("namespace/agents created\n"), "\(applied.errors)")
        #expect(applied.output.contains("daemonset.apps/shipper created\n"))
        let label = try cluster.kubectl(
            [
                "get", "namespace", "agents",
                "--output=jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}",
            ])
        #expect(label.output == "privileged")
        let kept = try cluster.kubectl(
            [
                "get", "daemonset", "shipper", "--namespace=agents",
                "--output=jsonpath={.spec.selector.matchLabels} {.spec.template.metadata.labels}",
            ])
        // The selector stays what it was in every version: nobody can change one that is applied.
        #expect(kept.output.hasPrefix(#"{"app.kubernetes.io/name":"shipper"} "#), "\(kept)")
        for name in ["instance", "version", "component", "part-of", "managed-by"] {
            #expect(kept.output.contains("\"app.kubernetes.io/\(name)\":"), "\(name)")
        }
        let deleted = try cluster.kubectl(["delete", "-k", ours, "--wait=false"])
        #expect(deleted.output.contains("namespace \"agents\" deleted"), "\(deleted)")
    }

    /// What an overlay sets goes for all that is listed, so no namespace may be: also where there is no server.
    @Test(
        "What is applied holds no namespace, and names none; the one that is made once has its name"
    )
    func overlaidTexts() throws {
        let kustomization = try Deployment.text("kubernetes/kustomization.yaml").split(
            separator: "\n")
        let resources = kustomization.drop { $0 != "resources:" }.dropFirst()
            .prefix { $0.hasPrefix("  - ") }.map { String($0.dropFirst(4)) }
        #expect(resources == ["serviceaccount.yaml", "daemonset.yaml"])
        for resource in resources {
            let lines = try Deployment.text("kubernetes/\(resource)").split(separator: "\n")
                .map { $0.drop { $0 == " " } }
            #expect(!lines.contains("kind: Namespace"), "\(resource)")
            #expect(!lines.contains { $0.hasPrefix("namespace:") }, "\(resource)")
        }
        let namespace = try Deployment.text("namespace/namespace.yaml").split(separator: "\n")
        #expect(namespace.contains("kind: Namespace") && namespace.contains("  name: shipper"))
        #expect(kustomization.contains("namespace: shipper"))
        // The version on the objects is that of the image.
        #expect(kustomization.contains("      app.kubernetes.io/version: \(Version.text)"))
        #expect(kustomization.contains("    newTag: \(Version.text)"))
        // The generated map is the one that the DaemonSet mounts.
        #expect(kustomization.contains("  - name: shipper"))
        let volumes = try Deployment.text("kubernetes/daemonset.yaml")
        #expect(volumes.contains("          configMap:\n            name: shipper\n"))
    }

    private struct DaemonSet: Decodable {
        struct Spec: Decodable { let template: Template }
        struct Template: Decodable { let spec: Pod }
        struct Pod: Decodable {
            let automountServiceAccountToken: Bool
            let nodeSelector: [String: String]
            let containers: [Container]
            let volumes: [Volume]
        }
        struct Container: Decodable {
            let securityContext: Security
            let volumeMounts: [Mount]
        }
        struct Security: Decodable {
            struct Capabilities: Decodable { let add, drop: [String] }
            struct Profile: Decodable { let type: String }
            let runAsUser: Int
            let capabilities: Capabilities
            let allowPrivilegeEscalation, readOnlyRootFilesystem: Bool
            let seccompProfile: Profile
        }
        struct Mount: Decodable {
            let name: String
            let readOnly: Bool?
            let mountPropagation: String?
        }
        struct Volume: Decodable {
            struct Map: Decodable { let name: String }
            let configMap: Map?
        }
        let spec: Spec
    }

    /// An API server with its etcd, in a process namespace of their own, so that they end with the
    /// test, however it ends.
    private final class Cluster: Sendable {
        private let kube: String
        private let directory: TemporaryDirectory
        private let process: ChildProcess

        init(kube: String) throws {
            self.kube = kube
            directory = try TemporaryDirectory()
            let unshare = try findProgram("unshare", package: "util-linux")
            process = try ChildProcess(
                unshare,
                [
                    "--user", "--map-root-user", "--pid", "--mount-proc", "--fork",
                    "--kill-child=KILL", "bash", "-euc", "\"$1\" start \"$2\"; cat", "bash", kube,
                    directory.path("cluster"),
                ], input: .pipe)
            let process = process
            try eventually("the API server is ready") {
                if let exit = try process.exit {
                    throw Unexpected(
                        description: "the API server did not start, \(exit): \(process.errors)")
                }
                return process.output.contains("kubeconfig\n")
            }
        }

        deinit { process.end() }

        func kubectl(
            _ arguments: [String]
        ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
            try Deployment.run([kube, "kubectl", directory.path("cluster")] + arguments)
        }
    }
}
