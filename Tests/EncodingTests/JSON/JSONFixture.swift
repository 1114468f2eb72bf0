import Encoding
import Model
import TestSupport
import Testing

/// What tests of lines of JSON share.
enum JSONFixture {
    static func encoder(
        _ fields: JSONFields, _ template: RecordTemplate = EncodingFixture.template(),
        rules: LineRules = LineRules(), longestRecord: Int = 1_000_000
    ) throws -> RecordEncoder {
        try EncodingFixture.encoder(
            .json, template, longestRecord: longestRecord, rules: rules, fields: fields)
    }

    /// The document of one line.
    static func document(
        _ line: String, _ fields: JSONFields = JSONFields(),
        _ template: RecordTemplate = EncodingFixture.template()
    ) throws -> StrictJSON {
        try document(Array(line.utf8), fields, template)
    }

    static func document(
        _ line: [UInt8], _ fields: JSONFields = JSONFields(),
        _ template: RecordTemplate = EncodingFixture.template()
    ) throws -> StrictJSON {
        let frame = Frame(
            offset: LogicalOffset(0), start: 0, count: line.count, length: line.count,
            flags: .none)
        let records = EncodingFixture.records(try encoder(fields, template), line, [frame])
        try #require(records.count == 1)
        return try #require(
            StrictJSON(records[0]), "\(String(decoding: records[0], as: UTF8.self))")
    }

    /// A value as it stands in JSON.
    static func json(_ text: String) throws -> StrictJSON {
        try #require(StrictJSON(Array(text.utf8)))
    }

    /// `log.flags`.
    static func flags(_ document: StrictJSON) -> [String] {
        guard case .array(let flags)? = document["log"]?["flags"] else { return [] }
        return flags.compactMap(\.text)
    }
}
