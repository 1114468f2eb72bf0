import Testing

@testable import Tailer

@Suite("Where a link leads") struct LinkTargetTests {
    @Test(
        "F6: a target, relative or not, is a name beneath the innermost root, or nothing",
        arguments: [
            ("/r/pods/x/0.log", "/r/pods|x|0.log"),
            ("../pods/x/0.log", "/r/pods|x|0.log"),
            ("//r/./pods//x/y/../0.log", "/r/pods|x|0.log"),
            ("/r/pods/0.log", "/r/pods||0.log"),
            ("/r/pods/x/", "/r/pods||x"),
            ("/r/docker/a/a.log", "/r|docker/a|a.log"),
            ("/real/docker/a.log", "/r/docker|| a.log"),
            ("/r", nil),
            ("/r/", nil),
            ("/rest/a.log", nil),
            ("/etc/shadow", nil),
            ("/r/pods/../../etc/shadow", nil),
            ("../../etc/shadow", nil),
            ("../../../../../../etc/shadow", nil),
            ("/", nil),
            ("", "/r||links"),
        ])
    func targets(text: String, expected: String?) {
        let roots = [("/r", "/r"), ("/r/pods", "/r/pods"), ("/r/docker", "/real/docker")]
            .filter { text.hasPrefix("/real") || $0.0 != "/r/docker" }
        let target = LinkTarget(
            Array(text.utf8), in: Array("/r/links".utf8),
            roots: roots.map { .init(text: $0.0, place: Array($0.1.utf8)) })
        let found = target.map {
            "\($0.root)|\(String(decoding: $0.path, as: UTF8.self))|"
                + String(decoding: $0.name, as: UTF8.self)
        }
        #expect(found == expected?.replacing(" ", with: ""))
    }
}
