import Model
import Testing

@testable import Registry

@Suite("registry show --json") struct EntryJSONTests {
    @Test("A file is one object with every key, exact and escaped")
    func json() {
        var bare = FileEntry.sample(2, path: "/b\n\"\\")
        bare.identity = FileIdentity(handle: nil, device: .max, inode: 7, birth: nil)
        #expect(
            EntryJSON(.sample(1, path: "/a"), size: 5000, state: "active").line
                == #"{"stream":"shop/orders","path":"/a","identity":{"device":"64768","inode":"1001","#
                + #""birth":1700000000000000001,"handle":"000000010100"},"#
                + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":5000,"#
                + #""lag_bytes":801,"state":"active","updated":"2026-11-23T04:02:35.685Z"}"#)
        #expect(
            EntryJSON(bare, size: 0, state: "gone").line
                == #"{"stream":"shop/orders","path":"/b\n\"\\","identity":{"device":"#
                + #""18446744073709551615","inode":"7","birth":null,"handle":null},"#
                + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":0,"#
                + #""lag_bytes":0,"state":"gone","updated":"2026-11-23T04:02:35.685Z"}"#)
    }
}
