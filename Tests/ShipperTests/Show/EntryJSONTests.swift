import Model
import Platform
import Registry
import TestSupport
import Testing

@testable import Shipper

@Suite("registry show --json") struct EntryJSONTests {
    private func line(
        path: String, _ identity: FileIdentity, base: Base = 512, offset: LogicalOffset = 4711,
        size: PhysicalOffset,
        state: ShownFile.State = .active, updated: Int64 = 1_795_406_555_685,
        format: ShownFormat? = nil
    ) -> String {
        let entry = FileEntry(
            file: FileID(number: 1), input: "pods", stream: "shop/orders", path: path,
            identity: identity, fingerprint: .of(head: [1, 2, 3]),
            generation: GenerationID(value: 0x0123_4567_89AB_CDEF), generationCount: 2, base: base,
            offset: offset, anchor: Anchor(bytes: [0, 255]), size: 5000, state: .active,
            updated: Timestamp(milliseconds: updated))
        return EntryJSON(file: ShownFile(entry: entry, state: state, size: size, format: format))
            .line
    }

    @Test("A file is one object with every key, exact and escaped")
    func json() {
        let known = FileIdentity(
            handle: [0, 0, 0, 1, 1, 0], device: 64768, inode: 1001,
            birth: 1_700_000_000_000_000_001)
        #expect(
            line(path: "/a", known, size: 5000, format: .cri)
                == #"{"stream":"shop/orders","path":"/a","identity":{"device":"64768","inode":"1001","#
                + #""birth":1700000000000000001,"handle":"000000010100"},"#
                + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":5000,"#
                + #""lag_bytes":801,"state":"active","updated":"2026-11-23T04:02:35.685Z","#
                + #""format":"cri"}"#)
        let bare = FileIdentity(handle: nil, device: .max, inode: 7, birth: nil)
        #expect(
            line(path: "/b\n\"\\", bare, size: 0, state: .gone)
                == #"{"stream":"shop/orders","path":"/b\n\"\\","identity":{"device":"#
                + #""18446744073709551615","inode":"7","birth":null,"handle":null},"#
                + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":0,"#
                + #""lag_bytes":0,"state":"gone","updated":"2026-11-23T04:02:35.685Z","#
                + #""format":null}"#)
    }

    @Test("The largest numbers that a registry may hold are printed")
    func extremes() {
        let identity = FileIdentity(
            handle: [255], device: .max, inode: .max, birth: OutsideNumber.mostTime)
        let most = OutsideNumber.most
        let text = line(
            path: "/a", identity, base: Base(most), offset: LogicalOffset(most),
            size: PhysicalOffset(most),
            updated: OutsideNumber.mostTime / 1_000_000)
        #expect(text.contains(#""handle":"ff"}"#))
        for name in ["base", "offset", "size", "lag_bytes"] {
            #expect(text.contains("\"\(name)\":\(most),"))
        }
    }
}
