/// Makes the tree out of the events. Recursion is bounded by `Document.Limits.depth`.
struct Composer {
    private let events: EventStream
    private let file: String
    private(set) var faults: [YAMLError] = []
    /// Finished values that have a name. A value is named only after its end, so it cannot hold
    /// itself.
    private var anchors: [String: Anchored] = [:]
    private var nodes = 0

    private struct Anchored {
        let node: Node
        /// Values in it, itself included.
        let nodes: Int
        /// Levels of lists and maps in it.
        let depth: Int
    }

    /// A value with its cost, so that an alias to it can be bounded.
    private struct Composed {
        let node: Node
        let depth: Int
    }

    init(_ events: EventStream, file: String) {
        self.events = events
        self.file = file
    }

    /// The one document of the stream; nil when there is none.
    mutating func document() throws(YAMLError) -> Node? {
        var root: Node?
        var documents = 0
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamStart, .documentEnd:
                continue
            case .streamEnd, .none:
                return root
            case .documentStart:
                documents += 1
                guard documents == 1 else {
                    throw fault(event.mark, "a second document; expected one document in a file")
                }
            case .scalar(let scalar) where scalar.isPlain && scalar.text.isEmpty:
                // "---" and nothing else.
                continue
            case .alias, .scalar, .listStart, .listEnd, .mapStart, .mapEnd:
                root = try value(event, depth: 0).node
            }
        }
    }

    private mutating func value(_ event: Event, depth: Int) throws(YAMLError) -> Composed {
        nodes += 1
        try checkNodes(event.mark)
        try checkTag(event)
        let before = nodes - 1
        let composed: Composed
        switch event.kind {
        case .alias(let name):
            return try expand(name, event.mark, depth: depth)
        case .scalar(let scalar):
            let isText = scalar.isPlain && event.tag == nil
            let content = Node.Scalar(text: scalar.text, isPlain: isText)
            composed = Composed(node: Node(mark: event.mark, content: .scalar(content)), depth: 0)
        case .listStart:
            try checkDepth(depth + 1, event.mark)
            composed = try list(event.mark, depth: depth + 1)
        case .mapStart:
            try checkDepth(depth + 1, event.mark)
            composed = try map(event.mark, depth: depth + 1)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .listEnd, .mapEnd, .none:
            throw fault(event.mark, "not YAML: a value is missing")
        }
        if let anchor = event.anchor {
            anchors[anchor] = Anchored(
                node: composed.node, nodes: nodes - before, depth: composed.depth)
        }
        return composed
    }

    private mutating func list(_ mark: Mark, depth: Int) throws(YAMLError) -> Composed {
        var items: [Node] = []
        var deepest = 0
        while true {
            let event = try events.next()
            if case .listEnd = event.kind { break }
            let item = try value(event, depth: depth)
            items.append(item.node)
            deepest = max(deepest, item.depth)
        }
        return Composed(node: Node(mark: mark, content: .list(items)), depth: deepest + 1)
    }

    private mutating func map(_ mark: Mark, depth: Int) throws(YAMLError) -> Composed {
        var entries: [Node.Entry] = []
        var seen: [String: Mark] = [:]
        var deepest = 0
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { break }
            let key = try key(event, depth: depth)
            if let first = seen[key] {
                faults.append(
                    fault(event.mark, "key \(Excerpt.of(key)) stands twice; first at \(first)"))
            } else {
                seen[key] = event.mark
            }
            let item = try value(try events.next(), depth: depth)
            entries.append(Node.Entry(key: key, keyMark: event.mark, value: item.node))
            deepest = max(deepest, item.depth)
        }
        return Composed(node: Node(mark: mark, content: .map(entries)), depth: deepest + 1)
    }

    private mutating func key(_ event: Event, depth: Int) throws(YAMLError) -> String {
        let key = try value(event, depth: depth).node
        guard case .scalar(let scalar) = key.content else {
            throw fault(event.mark, "a list or map as a key; expected a word")
        }
        return scalar.text
    }

    private mutating func expand(
        _ name: String, _ mark: Mark, depth: Int
    ) throws(YAMLError) -> Composed {
        guard let anchored = anchors[name] else {
            let name = Excerpt.of(name)
            throw fault(
                mark,
                "alias *\(name) repeats nothing: no &\(name) before it; a value that begins with *"
                    + " needs quotes")
        }
        nodes += anchored.nodes - 1
        try checkNodes(mark)
        try checkDepth(depth + anchored.depth, mark)
        return Composed(node: anchored.node, depth: anchored.depth)
    }

    private func checkNodes(_ mark: Mark) throws(YAMLError) {
        guard nodes <= Document.Limits.nodes else {
            throw fault(mark, "more than \(Document.Limits.nodes) values, aliases expanded")
        }
    }

    private func checkDepth(_ depth: Int, _ mark: Mark) throws(YAMLError) {
        guard depth <= Document.Limits.depth else {
            throw fault(mark, "lists and maps more than \(Document.Limits.depth) deep")
        }
    }

    private func checkTag(_ event: Event) throws(YAMLError) {
        guard let tag = event.tag else { return }
        // "!" alone says "not plain", as quotes do.
        guard tag == "tag:yaml.org,2002:str" || tag == "!", case .scalar = event.kind else {
            throw fault(event.mark, "tag \(Excerpt.of(tag)); expected a value without a tag")
        }
    }

    private func fault(_ mark: Mark, _ problem: String) -> YAMLError {
        YAMLError(file: file, mark: mark, problem: problem)
    }
}
