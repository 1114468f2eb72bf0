import Encoding
import FoundationEssentials
import Glibc
import Model
import Platform

/// What the tests of encoding share: files of the fixtures, records as documents.
enum EncodingFixture {
    /// A file beneath Tests/Fixtures/encoding.
    static func bytes(_ path: String) throws -> [UInt8] {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let file = try Descriptor.open("/\(tests)/Fixtures/encoding/\(path)", O_RDONLY)
        return try file.read(count: file.status().size, at: 0)
    }

    static let agent = AgentIdentity(
        version: "0.1.0", id: "9d968cdb-93fc-4da2-91ae-77e0b314a7b0",
        ephemeralID: "7238b4ae-7be8-49ee-bbb8-98c5f8b86c01")

    static func template(
        path: String = "/input/app.log", captures: [String: String] = [:], node: String = "node-1",
        fields: [UInt8]? = nil, tags: [String] = [], rootFields: [RootField] = [],
        isMinimal: Bool = false
    ) -> RecordTemplate {
        RecordTemplate(
            path: path, captures: captures, device: 64768, inode: 1_234_567,
            generation: GenerationID(value: 0x5F0C_9BE2_1A77_D1C3), node: node, fields: fields,
            tags: tags, agent: agent, isMinimal: isMinimal, rootFields: rootFields)
    }

    static func encoder(
        _ codec: RecordCodec = .json, _ template: RecordTemplate = template(),
        longestRecord: Int = 1_000_000, keepsEmptyLines: Bool = false, labels: LabelFormat? = nil,
        rules: LineRules = LineRules(), fields: JSONFields? = nil
    ) throws -> RecordEncoder {
        try RecordEncoder(
            codec: codec, template: template, path: "/input/app.log",
            longestRecord: longestRecord, keepsEmptyLines: keepsEmptyLines, labels: labels,
            rules: rules, fields: fields)
    }

    /// 2026-11-23T03:38:00.123Z and a bit.
    static let readTime: Int64 = 1_795_405_080_123_999_999

    /// The values of all records of `frames`, encoded in slabs of `capacity` bytes.
    static func records(
        _ encoder: RecordEncoder, _ bytes: [UInt8], _ frames: [Frame], capacity: Int = 1 << 20
    ) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var position = FramePosition.start
        var lineTime: Int64?
        var size = capacity
        while true {
            let slab = PayloadSlab(capacity: size)
            var ends: [UInt32] = []
            let progress = encoder.encode(
                frames, from: position, of: bytes.span, readTime: readTime, lineTime: lineTime,
                into: slab, limit: size, ends: &ends)
            var start = 0
            for end in ends {
                records.append(
                    slab.withBytes(start..<Int(end)) { bytes in bytes.indices.map { bytes[$0] } })
                start = Int(end)
            }
            guard let needed = progress.needed else { return records }
            // A slab that is empty and yet too small is replaced by one of the size asked for.
            size = progress.position == position ? needed : capacity
            position = progress.position
            lineTime = progress.lineTime
        }
    }

    static func document(_ record: [UInt8]) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(record))
    }

    static func text(_ record: [UInt8]) -> String { String(decoding: record, as: UTF8.self) }
}

/// A record as a consumer reads it; what is optional may be absent.
struct Document: Decodable, Hashable {
    struct Metadata: Decodable, Hashable {
        let beat: String
        let type: String
        let version: String
        let _id: String?
    }
    struct Log: Decodable, Hashable {
        struct File: Decodable, Hashable {
            let path: String
            let device_id: String?
            let inode: String?
        }
        let offset: Int
        let flags: [String]?
        let file: File
    }
    struct Named: Decodable, Hashable { let name: String }
    struct Input: Decodable, Hashable { let type: String }
    struct Version: Decodable, Hashable { let version: String }
    struct Agent: Decodable, Hashable {
        let type: String
        let version: String
        let name: String
        let id: String
        let ephemeral_id: String
    }
    struct Fields: Decodable, Hashable {
        let app: String?
        let env: String?
        let shard: Int?
        let canary: Bool?
        let cluster: String?
    }
    struct Kubernetes: Decodable, Hashable {
        struct Labels: Decodable, Hashable { let app: String }
        let namespace: String?
        let labels: Labels?
        let pod: Named?
        let node: Named
    }
    let timestamp: String
    let metadata: Metadata
    let message: String
    let stream: String?
    let log: Log
    let input: Input
    let kubernetes: Kubernetes?
    let fields: Fields?
    let tags: [String]?
    let host: Named
    let agent: Agent
    let ecs: Version

    enum CodingKeys: String, CodingKey {
        case timestamp = "@timestamp"
        case metadata = "@metadata"
        case message, stream, log, input, kubernetes, fields, tags, host, agent, ecs
    }
}

extension RecordEncoder {
    /// Where in the file the records begin is told to nobody.
    func encode(
        _ frames: [Frame], from start: FramePosition, of chunk: Span<UInt8>, readTime: Int64,
        lineTime: Int64? = nil, leavesLineOut: Bool = false, into slab: PayloadSlab, limit: Int,
        overhead: Int = 0, ends: inout [UInt32]
    ) -> EncodingProgress {
        var offsets: [UInt32] = []
        return encode(
            frames, from: start, of: chunk, readTime: readTime, lineTime: lineTime,
            leavesLineOut: leavesLineOut, into: slab, limit: limit, overhead: overhead, ends: &ends,
            offsets: &offsets)
    }
}
