import Registry
import TestSupport
import Testing

@Suite("R7: Filebeat's registry is read as Filebeat reads it")
struct FilebeatStoreTests {
    static let meta = Array(#"{"version":"1"}"#.utf8)

    private func fixture(_ path: String) throws -> [UInt8] {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try readFile("/\(tests)/Fixtures/filebeat-registry/\(path)")
    }

    private func read(_ log: String) throws -> FilebeatStore {
        try FilebeatStore(meta: Self.meta, checkpoint: nil, log: Array(log.utf8))
    }

    private func set(_ id: UInt64, _ key: String, _ value: String) -> String {
        "{\"op\":\"set\",\"id\":\(id)}\n{\"k\":\"\(key)\",\"v\":\(value)}\n"
    }

    private func stream(_ offset: Int, _ identity: String, _ source: String = "/l/a") -> String {
        #"{"cursor":{"offset":\#(offset)},"meta":{"source":"\#(source)","#
            + #""identifier_name":"\#(identity)"},"ttl":1800000000000,"updated":[0,1795414186]}"#
    }

    private func log(
        _ offset: Int, _ identity: String = "native", inode: Int = 7, device: Int = 9
    ) -> String {
        #"{"source":"/l/a","offset":\#(offset),"ttl":-1,"type":"container","#
            + #""FileStateOS":{"inode":\#(inode),"device":\#(device)},"#
            + #""identifier_name":"\#(identity)","timestamp":[970841305,1795414186]}"#
    }

    @Test(
        "The highest checkpoint and the operations after it give the positions; older ones count nothing"
    )
    func checkpoint() throws {
        let checkpoint = FilebeatStore.Checkpoint(
            number: 66_565, bytes: try fixture("big/registry/filebeat/66565.json"))
        let log = try fixture("big/registry/filebeat/log.json")
        let alone = try FilebeatStore(meta: Self.meta, checkpoint: checkpoint, log: [])
        #expect(alone.rows.map(\.offset) == [1_660_955, 1_729_306, 1_797_480, 1_728_463])
        #expect(alone.rows.map(\.source) == (0..<4).map { "/input/\($0).log" })
        let whole = try FilebeatStore(meta: Self.meta, checkpoint: checkpoint, log: log)
        #expect(whole.rows.map(\.offset) == [1_819_500, 1_819_500, 1_819_500, 1_819_500])
        #expect(whole.cut == nil && whole.unusableRows.isEmpty)
        // The log was not emptied after a checkpoint that contains all of it.
        let contained = try FilebeatStore(
            meta: Self.meta, checkpoint: .init(number: 99_999, bytes: checkpoint.bytes), log: log)
        #expect(contained.rows == alone.rows)
    }

    @Test("A remove and a ttl of 0 end a row; a null cursor is the position 0")
    func ends() throws {
        let store = try read(
            set(1, "filestream::a::native::1-2", stream(5, "native"))
                + set(2, "filestream::a::native::3-2", stream(6, "native"))
                + "{\"op\":\"remove\",\"id\":3}\n{\"k\":\"filestream::a::native::1-2\"}\n"
                + set(
                    4, "filestream::a::native::3-2",
                    #"{"cursor":{"offset":6},"meta":{"source":"/l/a"},"ttl":0}"#)
                + set(
                    5, "filestream::a::native::4-2",
                    #"{"cursor":null,"meta":{"source":"/l/c","identifier_name":"native"},"ttl":1}"#
                ))
        #expect(store.rows.map(\.offset) == [0])
        #expect(store.rows.first?.identity == .native(inode: 4, device: 2))
        #expect(store.unusableRows.isEmpty && store.cut == nil)
    }

    @Test("Each kind of key and identity is understood")
    func keys() throws {
        let hex = String(repeating: "0f", count: 32)
        let digest = [UInt8](repeating: 0x0F, count: 32)
        let cases: [(String, String, FilebeatRow.Identity, String)] = [
            (
                "filestream::app::native::7-9", stream(1, "native"), .native(inode: 7, device: 9),
                "filestream app"
            ),
            (
                "filestream::.global::native::7-9", stream(1, "native"),
                .native(inode: 7, device: 9), "filestream .global"
            ),
            ("filestream::x::path::/l/a", stream(1, "path"), .path, "filestream x"),
            (
                "filestream::x::fingerprint::\(hex)", stream(1, "fingerprint"),
                .fingerprint(digest), "filestream x"
            ),
            (
                "filestream::x::inode_marker::7-disk-3", stream(1, "inode_marker"),
                .inodeMarker(inode: 7), "filestream x"
            ),
            ("filebeat::logs::native::7-9", log(1), .native(inode: 7, device: 9), "container"),
            (
                "filebeat::logs::1f00ab-native::7-9", log(1), .native(inode: 7, device: 9),
                "container"
            ),
            (
                "filebeat::logs::path::/l/a", log(1, "path"), .native(inode: 7, device: 9),
                "container"
            ),
            (
                "filebeat::logs::ab-inode_marker::7-m", log(1, "inode_marker"),
                .inodeMarker(inode: 7), "container"
            ),
        ]
        for (key, value, identity, input) in cases {
            let store = try read(set(1, key, value))
            #expect(store.unusableRows.isEmpty, "\(key)")
            #expect(store.rows.map(\.identity) == [identity], "\(key)")
            #expect(store.rows.map(\.input) == [input], "\(key)")
            #expect(store.rows.first?.source == "/l/a" && store.rows.first?.offset == 1)
            #expect(store.rows.first.flatMap(\.updated).map { $0 / 1_000_000_000 } == 1_795_414_186)
        }
    }

    @Test(
        "A row that cannot be understood is named with its reason and keeps nothing else from being read",
        arguments: [
            ("httpjson::x::y", "{}", "is of the input httpjson, which reads no files"),
            (
                "filestream::x::native::7-9",
                #"{"cursor":{"offset":1e300},"meta":{"source":"/l/a"}}"#,
                "the row cannot be understood: a value is not possible: "
                    + "numberIsNotRepresentableInSwift(parsed: \"1e300\")"
            ),
            (
                "filestream::x::native::7-9",
                #"{"cursor":{"offset":"1"},"meta":{"source":"/l/a"}}"#,
                "the row cannot be understood: \"v.cursor.offset\" is of another type"
            ),
            ("filestream::x::native::7-9", "null", "the row cannot be understood: \"v\" is null"),
            ("filestream::x::native::7-9", #"{"cursor":{"offset":1}}"#, "the row names no path"),
            (
                "filestream::x::native::7-9", #"{"cursor":{"offset":-1},"meta":{"source":"/l/a"}}"#,
                "the offset is -1"
            ),
            (
                "filestream::x::moon::7",
                #"{"cursor":{"offset":1},"meta":{"source":"/l/a","identifier_name":"moon"}}"#,
                "the identity moon is not known or has another form"
            ),
            (
                "filestream::x::native::7-99999999999999999999999",
                #"{"cursor":{"offset":1},"meta":{"source":"/l/a","identifier_name":"native"}}"#,
                "the identity native is not known or has another form"
            ),
            (
                "filebeat::logs::native::7-9",
                #"{"source":"/l/a","offset":1,"FileStateOS":{"inode":8,"device":9}}"#,
                "key and FileStateOS name different files"
            ),
            ("filebeat::logs::native::7-9", #"{"offset":1}"#, "the row names no path or no offset"),
        ])
    func strange(key: String, value: String, reason: String) throws {
        let store = try read(
            set(1, key, value) + set(2, "filestream::a::native::1-2", stream(5, "native")))
        #expect(store.unusableRows.map(\.reason) == [reason])
        #expect(store.rows.map(\.offset) == [5])
        #expect(store.cut == nil)
    }

    @Test("log.json cut after every byte, and with any bit flipped, is read as far as it is whole")
    func damaged() throws {
        let log = try fixture("two-inputs/registry/filebeat/log.json")
        let whole = try FilebeatStore(meta: Self.meta, checkpoint: nil, log: log)
        let most = Dictionary(uniqueKeysWithValues: whole.rows.map { ($0.key, $0.offset) })
        var ends = [0]
        for (index, byte) in log.enumerated() where byte == 0x0A { ends.append(index + 1) }
        for count in 0...log.count {
            let store = try FilebeatStore(
                meta: Self.meta, checkpoint: nil, log: Array(log.prefix(count)))
            for row in store.rows { #expect(row.offset <= most[row.key] ?? -1) }
            // Every second line ends an operation; its newline may be missing.
            let last = ends.enumerated().last { $0.offset % 2 == 0 && $0.element <= count + 1 }
            let position = min(last?.element ?? 0, count)
            if position == count {
                #expect(store.cut == nil, "after \(count) bytes")
            } else {
                #expect(store.cut?.position == position, "after \(count) bytes")
                #expect(store.cut?.bytes == count - position)
            }
        }
        var damage = 0
        for index in log.indices {
            var bytes = log
            bytes[index] ^= 1 << UInt8(index % 8)
            let store = try FilebeatStore(meta: Self.meta, checkpoint: nil, log: bytes)
            if store.cut != nil || !store.unusableRows.isEmpty { damage += 1 }
        }
        #expect(damage > log.count / 10)
    }

    @Test("A damaged checkpoint is refused with the byte where its damage begins")
    func damagedCheckpoint() throws {
        let bytes = try fixture("big/registry/filebeat/66565.json")
        let text = String(decoding: bytes, as: UTF8.self)
        func refused(_ bytes: [UInt8]) -> String? {
            do {
                _ = try FilebeatStore(
                    meta: Self.meta, checkpoint: .init(number: 5, bytes: bytes), log: [])
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(refused(bytes) == nil)
        // But for a newline after the bracket nothing may be missing.
        for count in bytes.indices {
            let message = refused(Array(bytes.prefix(count)))
            #expect(message?.hasPrefix("5.json: byte ") == true, "after \(count) bytes")
        }
        let second = text.utf8.prefix { $0 != 0x0A }.count + 1
        var flipped = bytes
        flipped[second] = UInt8(ascii: "}")
        #expect(refused(flipped)?.hasPrefix("5.json: byte \(second): no valid JSON: ") == true)
        #expect(
            refused(bytes + Array("\n[".utf8))
                == "5.json: byte \(bytes.count + 1): something follows the end of "
                + "the array: Filebeat itself would not start with it; restore the file, or start without "
                + "its positions")
    }

    @Test("Another version, and what was before 7.9, are refused by name")
    func versions() throws {
        for (meta, message) in [
            (#"{"version":"2"}"#, "meta.json: version \"2\" of Filebeat's registry is not known"),
            (#"{"version":"0"}"#, "meta.json is of a registry as Filebeat kept it before 7.9"),
            (#"{"version":1}"#, "meta.json: byte 0: \"version\" is of another type"),
            ("{}", "meta.json: byte 0: \"version\" is missing"),
            ("", "meta.json: byte 0: no valid JSON"),
        ] {
            do {
                _ = try FilebeatStore(meta: Array(meta.utf8), checkpoint: nil, log: [])
                Issue.record("taken: \(meta)")
            } catch {
                #expect("\(error)".hasPrefix(message), "\(error)")
            }
        }
    }

    @Test("Nested a thousandfold, a row is an error and no crash")
    func nested() throws {
        let deep = String(repeating: "[", count: 100_000)
        let store = try read(set(1, "filestream::a::native::1-2", deep))
        #expect(store.cut?.position == 0)
    }
}
