import Patterns

/// Which files an input reads: `paths`, what is left out, and links.
extension FilebeatConverter {
    private static let stockLinks = "/var/log/containers/"
    private static let stockRoots = ["/var/log/pods", "/var/lib/docker/containers"]

    /// Whether the input's events get what Kubernetes knows of their pods.
    func wantsKubernetes(_ input: FilebeatTree) -> Bool {
        let lists = [input.look("processors"), tops.processors]
        let names = lists.compactMap { $0?.items }.joined().flatMap { item in
            (item.entries ?? []).map(\.name)
        }
        if names.contains("add_kubernetes_metadata") || names.contains("add_docker_metadata") {
            return true
        }
        let output = tree.look("output.kafka")
        return (output?.leaves ?? []).contains { $0.text?.contains("kubernetes.") == true }
    }

    /// Whether our reader takes the path, or would if its variables were set.
    mutating func isPath(_ path: String) -> Bool { fault(ofPath: path) == nil }

    /// The path with something in the place of its variables; nil where one is not closed.
    private static func filled(_ path: String) -> String? {
        var text = ""
        var rest = path[...]
        while let start = rest.firstRange(of: "${") {
            text += rest[..<start.lowerBound]
            text += text.isEmpty ? "/x/x" : "x"
            guard let end = rest.firstIndex(of: "}") else { return nil }
            rest = rest[rest.index(after: end)...]
        }
        return text + rest
    }

    private func fault(ofPath path: String) -> String? {
        guard let text = Self.filled(path) else { return "a reference without its }" }
        do throws(PathPatternError) {
            let pattern = try PathPattern(text)
            if text.hasSuffix(".gz") { return "compressed archives are found beside their logs" }
            if RegularExpressionText.sign(in: pattern.text, escapes: false) != nil {
                return "a pattern with characters that mean something else here"
            }
            return nil
        } catch {
            return error.description
        }
    }

    mutating func paths(
        _ tree: inout FilebeatTree, _ input: inout FilebeatInput, wantsKubernetes: Bool
    ) {
        var given: [(value: FilebeatTree.Value, path: String)] = []
        let value = tree.take("paths")
        for item in value?.items ?? [] {
            guard item.text != nil else { continue }
            if let path = text(item) {
                given.append((item, path))
            }
        }
        if value == nil, input.type == "docker" {
            let ids = tree.take("containers.ids").flatMap { texts($0) } ?? ["*"]
            let root = tree.take("containers.path")?.text ?? "/var/lib/docker/containers"
            for id in ids {
                let path = "\(root)/\(id)/*.log"
                input.paths.append(wantsKubernetes ? Self.named(path) : path)
            }
        }
        let followsAll =
            (tree.take("symlinks") ?? tree.take("prospector.scanner.symlinks"))
        for (value, path) in given {
            if Self.filled(path)?.contains("{") == true {
                note(
                    value, "braces name a piece of the path here, which Filebeat takes as they are",
                    in: &input)
                continue
            }
            if let fault = fault(ofPath: path) {
                note(value, "left out: \(fault)", in: &input)
                continue
            }
            input.paths.append(wantsKubernetes ? Self.named(path) : path)
        }
        links(followsAll, &input)
        for key in ["exclude_files", "prospector.scanner.exclude_files"] {
            for item in tree.take(key)?.items ?? [] { exclusion(item, &input) }
        }
        if let value = tree.take("prospector.scanner.include_files") {
            note(value, "write paths that match these files alone", in: &input)
        }
    }

    /// The stock layouts with what their names say captured.
    private static func named(_ path: String) -> String {
        switch path {
        case "/var/log/containers/*.log":
            return "/var/log/containers/{pod}_{namespace}_{container}-{container_id}.log"
        case "/var/log/pods/*/*/*.log":
            return "/var/log/pods/{namespace}_{pod}_{uid}/{container}/*.log"
        case "/var/lib/docker/containers/*/*.log", "/var/lib/docker/containers/*/*-json.log":
            return path.replacing("/containers/*/", with: "/containers/{container_id}/")
        default: return path
        }
    }

    private mutating func links(
        _ symlinks: FilebeatTree.Value?, _ input: inout FilebeatInput
    ) {
        let isContainer = input.type == "container" || input.type == "docker"
        let stock = input.paths.filter {
            $0.hasPrefix(Self.stockLinks) || $0.hasPrefix("/var/log/pods/")
        }
        guard symlinks?.bool ?? isContainer else { return }
        if input.paths.contains(where: { $0.hasPrefix(Self.stockLinks) }) {
            input.linkRoots = Self.stockRoots
        } else if !stock.isEmpty {
            input.linkRoots = [Self.stockRoots[1]]
        }
        if stock.count < input.paths.count, let symlinks {
            note(
                symlinks,
                "links are followed into directories that follow_symlinks lists; add those "
                    + "that links of this input lead to", in: &input)
        }
    }

    // MARK: Exclusions

    private static func pattern(_ path: String) -> PathPattern? {
        do throws(PathPatternError) {
            return try filled(path).map { text throws(PathPatternError) in try PathPattern(text) }
        } catch {
            // It was refused before.
            return nil
        }
    }

    private mutating func exclusion(
        _ value: FilebeatTree.Value, _ input: inout FilebeatInput
    ) {
        guard let expression = value.text else { return }
        // Compressed archives are left out of every input.
        if [#"\.gz$"#, ".gz$", #".*\.gz$"#].contains(expression) { return }
        guard let globs = FilebeatExclusion.globs(expression) else {
            let wide = RegularExpressionText(text: expression).globs ?? []
            let advice = wide.isEmpty ? "" : ", perhaps \(wide.joined(separator: " or "))"
            note(
                value,
                "no glob chooses just what this regular expression does; write exclude\(advice)",
                in: &input)
            return
        }
        let patterns = input.paths.compactMap { Self.pattern($0) }
        let isFixed = !input.paths.contains { EnvironmentReferences.stand(in: $0) }
        var used = false
        var isCut = false
        for text in globs {
            do throws(PathPatternError) {
                let glob = try PathGlob(text)
                // One that no path can meet would be refused.
                guard patterns.contains(where: { glob.canMeet($0) }) else {
                    isCut = true
                    continue
                }
                if Settings.isExcludedAlways(glob) {
                    used = true
                    continue
                }
            } catch {
                note(value, "\(error); write exclude", in: &input)
                return
            }
            used = true
            if !input.exclude.contains(text) { input.exclude.append(text) }
        }
        if !used || isCut && !isFixed {
            note(
                value,
                isFixed
                    ? "it leaves out nothing: no file that paths match is called so"
                    : "what it leaves out hangs on a variable in paths; see that exclude has "
                        + "all of it",
                hand: !isFixed, in: &input)
        }
    }
}
