package import Model
import Platform

/// The common part of all records of one file, rendered once: the document that Filebeat 8 writes
/// for a filestream line, as constant bytes around its five variable parts.
///
/// ```
/// {"@timestamp":"<time>","@metadata":{…,"_id":"<generation>-<offset>"},"message":"<message>",
///  "log":{"offset":<offset><flags>,"file":{…}},"input":…,"kubernetes":…,"fields":…,"tags":…,
///  "host":…,"agent":…,"ecs":…}
/// ```
package struct RecordTemplate: Sendable {
    /// Up to the opening quote of the message, with room for time and offset.
    let head: [UInt8]
    /// Where in `head` the 24 bytes of the time go.
    let timeAt: Int
    /// Where in `head` the 16 digits of the offset go; nil in a document without `_id`.
    let offsetAt: Int?
    /// Between the message and `log.offset`.
    let middle: [UInt8]
    /// From `log.file` to the end.
    let tail: [UInt8]

    /// Most bytes that a record takes beside its message.
    var envelope: Int {
        head.count + middle.count + Self.longestOffset + RecordFlags.longest + tail.count
    }
    private static let longestOffset = 20

    /// The keys that its documents have. `haveSource`: they may be of a container.
    func ownKeys(haveSource: Bool) -> OwnKeys {
        let document = head + middle + [0x30] + tail
        return OwnKeys(
            document: document, shared: document.count - tail.count, haveSource: haveSource)
    }

    /// Of the captures, `namespace`, `app`, `pod`, `uid` (the pod's) and `container` become
    /// `kubernetes`, in which `node` is named too; a file with none of these has no such object.
    /// `container_id` becomes `container.id`. Other captures serve topics and keys and stand in no
    /// record.
    ///
    /// `fields` is the JSON object of the input's fields, rendered; nil or `{}` leaves it out, as
    /// no tags leave out `tags`. `rootFields` stand beside the document's own keys instead, and
    /// never in the place of one: of an object that has the name of one of the document's, members
    /// go into that, and what has another of its names is left out.
    ///
    /// With `isMinimal` nothing is in it but `@timestamp`, `message`, `log` and `kubernetes`.
    /// `node` is `host.name`, `agent.name` and `kubernetes.node.name`.
    package init(
        path: String, captures: [String: String], device: UInt64, inode: UInt64,
        generation: GenerationID, node: String, fields: [UInt8]?, tags: [String],
        agent: AgentIdentity, isMinimal: Bool = false, rootFields: [RootField] = []
    ) {
        var root = RootFields(rootFields)
        let begin = #"{"@timestamp":""#
        let metadata =
            #"","@metadata":{"beat":"filebeat","type":"_doc","version":"8.17.0","_id":""#
        timeAt = begin.utf8.count
        var head = Array(begin.utf8)
        head.append(contentsOf: repeatElement(0x30, count: Timestamp.textCount))
        if isMinimal {
            offsetAt = nil
            head.append(contentsOf: #"","message":""#.utf8)
        } else {
            head.append(contentsOf: metadata.utf8)
            head.append(contentsOf: generation.digits.utf8)
            head.append(0x2D)
            offsetAt = head.count
            head.append(contentsOf: repeatElement(0x30, count: 16))
            head.append(contentsOf: #""},"message":""#.utf8)
        }
        self.head = head
        middle = Array(#"","log":{"offset":"#.utf8)

        var rest = JSONText()
        rest.key("file")
        rest.openObject()
        rest.member("path", path)
        rest.member("device_id", String(device))
        rest.member("inode", String(inode))
        rest.closeObject()
        root.join("log", ["offset", "flags", "file"], &rest)
        rest.closeObject()
        if isMinimal {
            rest.kubernetes(captures, node: node, &root)
            rest.closeObject()
            tail = [0x2C] + rest.bytes
            return
        }
        rest.key("input")
        rest.openObject()
        rest.member("type", "filestream")
        root.join("input", ["type"], &rest)
        rest.closeObject()
        rest.kubernetes(captures, node: node, &root)
        if let fields, fields.count > 2 {
            rest.key("fields")
            rest.rendered(fields)
        }
        if !tags.isEmpty { root.own("tags") }
        rest.tags(tags)
        rest.key("host")
        rest.openObject()
        rest.member("name", node)
        root.join("host", ["name"], &rest)
        rest.closeObject()
        rest.agent(agent, name: node, &root)
        rest.key("ecs")
        rest.openObject()
        rest.member("version", "8.0.0")
        root.join("ecs", ["version"], &rest)
        rest.closeObject()
        root.rest(&rest)
        rest.closeObject()
        tail = [0x2C] + rest.bytes
    }
}

/// Who ships: the same for all records of one run.
package struct AgentIdentity: Sendable {
    /// The shipper's version.
    package let version: String
    /// Kept over restarts.
    package let id: String
    /// New in each run.
    package let ephemeralID: String

    package init(version: String, id: String, ephemeralID: String) {
        self.version = version
        self.id = id
        self.ephemeralID = ephemeralID
    }
}

extension JSONText {
    fileprivate mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    fileprivate mutating func kubernetes(
        _ captures: [String: String], node: String, _ root: inout RootFields
    ) {
        let names = ["namespace", "app", "pod", "uid", "container"]
        if names.contains(where: { captures[$0] != nil }) {
            key("kubernetes")
            openObject()
            if let namespace = captures["namespace"] { member("namespace", namespace) }
            if let app = captures["app"] { object("labels", with: "app", app) }
            if captures["pod"] != nil || captures["uid"] != nil {
                key("pod")
                openObject()
                if let pod = captures["pod"] { member("name", pod) }
                if let uid = captures["uid"] { member("uid", uid) }
                closeObject()
            }
            if let container = captures["container"] {
                object("container", with: "name", container)
            }
            object("node", with: "name", node)
            root.join(
                "kubernetes", ["namespace", "labels", "pod", "container", "node"], &self)
            closeObject()
        }
        guard let id = captures["container_id"] else { return }
        key("container")
        openObject()
        member("id", id)
        root.join("container", ["id"], &self)
        closeObject()
    }

    private mutating func object(_ name: String, with member: String, _ value: String) {
        key(name)
        openObject()
        self.member(member, value)
        closeObject()
    }

    fileprivate mutating func tags(_ tags: [String]) {
        guard !tags.isEmpty else { return }
        key("tags")
        openArray()
        for tag in tags { string(tag) }
        closeArray()
    }

    fileprivate mutating func agent(
        _ agent: AgentIdentity, name: String, _ root: inout RootFields
    ) {
        key("agent")
        openObject()
        member("type", "shipper")
        member("version", agent.version)
        member("name", name)
        member("id", agent.id)
        member("ephemeral_id", agent.ephemeralID)
        root.join("agent", ["type", "version", "name", "id", "ephemeral_id"], &self)
        closeObject()
    }
}
