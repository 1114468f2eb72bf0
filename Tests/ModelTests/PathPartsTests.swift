import Model
import Testing

@Suite("A path is a directory and a name in it")
struct PathPartsTests {
    @Test(
        "the last slash parts them",
        arguments: [
            ("/logs/app.log", "/logs", "app.log"), ("/app.log", "", "app.log"),
            ("logs/app.log", "logs", "app.log"), ("/logs/", "/logs", ""), ("/", "", ""),
            ("//a", "/", "a"),
        ])
    func parts(path: String, directory: String, name: String) {
        let parts = path.utf8.directoryAndName
        #expect(parts.map { String(Substring($0.directory)) } == directory)
        #expect(parts.map { String(Substring($0.name)) } == name)
    }

    @Test("what has no slash has no directory", arguments: ["", "app.log"])
    func nameAlone(path: String) {
        #expect(Array(path.utf8).directoryAndName?.name == nil)
    }
}
