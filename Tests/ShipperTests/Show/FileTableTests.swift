import Model
import Platform
import Registry
import TestSupport
import Testing

@testable import Shipper

@Suite("registry show: the table of files")
struct FileTableTests {
    static let now = Timestamp(milliseconds: 1_795_406_555_685)

    private func file(
        _ number: Int, _ stream: String, _ path: String, size: PhysicalOffset,
        offset: LogicalOffset,
        age: Int64 = 5, state: ShownFile.State = .active, format: ShownFormat? = nil
    ) -> ShownFile {
        let entry = FileEntry(
            file: FileID(number: number), input: "pods", stream: stream, path: path,
            identity: FileIdentity(handle: nil, device: 9, inode: UInt64(number), birth: nil),
            fingerprint: .of(head: []), generation: GenerationID(value: 0x0123_4567_89AB_CDEF),
            generationCount: 0, base: 0, offset: offset, anchor: .none, size: size, state: .active,
            updated: Timestamp(milliseconds: Self.now.milliseconds - age * 1_000))
        return ShownFile(entry: entry, state: state, size: size, format: format)
    }

    private func lines(
        _ files: [ShownFile], _ order: FileTable.Order = .path, _ look: TerminalLook = .plain
    ) -> [String] {
        FileTable(files, order: order, now: Self.now, look: look).lines()
    }

    private func screen(_ columns: Int, rows: Int = 50, colour: Bool = false) -> TerminalLook {
        TerminalLook(
            screen: TerminalSize(columns: columns, rows: rows, isScrolled: false),
            hasColour: colour)
    }

    private var three: [ShownFile] {
        [
            file(
                1, "/l/shop/log", "/l/shop/log/current", size: 4096, offset: 1024, age: 7_200,
                format: .docker),
            file(
                2, "/l/app.log", "/l/app.log.1", size: PhysicalOffset(3 << 30),
                offset: LogicalOffset(3 << 30), age: 90_000,
                state: .gone),
            file(3, "/l/app.log", "/l/app.log", size: 700, offset: 0, state: .unreachable),
        ]
    }

    @Test("The largest sizes have a table, and a sum that is no less than each")
    func extremes() {
        let most = OutsideNumber.most
        let files = (1...20).map {
            file($0, "/l/\($0)", "/l/\($0)", size: PhysicalOffset(most), offset: 0)
        }
        let text = lines(files, .lag, screen(200))
        #expect(text[1].contains("1.0 EiB"))
        #expect(text.last?.contains("20 behind by 8.0 EiB in all") == true)
        for number in [Int.min, -1, 0, 1, most, .max - 1, .max] {
            #expect(!FileTable.bytes(number).isEmpty)
            #expect(FileTable.bar(max(0, number), of: .max).count <= 10)
        }
        let ends = [Int64.min, -1, 0, 1, .max].map { Timestamp(milliseconds: $0) }
        for then in ends {
            for now in ends { #expect(!FileTable.age(from: then, to: now).isEmpty) }
        }
    }

    @Test("Columns are aligned, numbers to the right, and the last line sums up")
    func text() {
        #expect(
            lines(three) == [
                "STREAM       FILE       STATE        FORMAT     SIZE  DELIVERED      LAG  AGE",
                "/l/app.log   app.log    unreachable  -         700 B        0 B    700 B   5s",
                "/l/app.log   app.log.1  gone         -       3.0 GiB    3.0 GiB        -   1d",
                "/l/shop/log  current    active       docker  4.0 KiB    1.0 KiB  3.0 KiB   2h",
                "3 files in 2 streams, 2 behind by 3.7 KiB in all, the oldest for 2h, 1 unreachable, "
                    + "1 gone",
            ])
        #expect(lines([]).last == "0 files")
        let done = file(1, "/a", "/a", size: 5, offset: 5)
        #expect(lines([done]).last == "1 file in 1 stream, all delivered")
    }

    @Test("Files are ordered by path, by lag or by age")
    func order() {
        #expect(FileTable.sorted(three, .path).map(\.entry.file.number) == [3, 2, 1])
        #expect(FileTable.sorted(three, .lag).map(\.entry.file.number) == [1, 3, 2])
        #expect(FileTable.sorted(three, .age).map(\.entry.file.number) == [2, 1, 3])
    }

    @Test("A screen shows the lag as a bar, and no line is longer than it is wide")
    func bar() {
        let wide = lines(three, .path, screen(100))
        #expect(wide[1].hasSuffix("700 B   5s  ██▎"))
        #expect(wide[2].hasSuffix("-   1d"))
        #expect(wide[3].hasSuffix("3.0 KiB   2h  ██████████"))
        #expect(!wide.joined().contains("\u{1B}"))
        #expect(FileTable.bar(1, of: 1 << 40) == "▏")
        let long = file(
            4, "/data/logs/shop/orders/orders-7d9f5c6b8-x2x4q/log",
            "/data/logs/shop/orders/orders-7d9f5c6b8-x2x4q/log/@4000000065e07a152f072f40.s",
            size: 10, offset: 0)
        for columns in 40..<140 {
            for line in lines(three + [long], .path, screen(columns)).dropLast() {
                #expect(
                    PrintableText.width(line) <= max(columns, 74), "\(columns): \(line)")
            }
        }
        let narrow = lines([long], .path, screen(88))[1]
        #expect(narrow.hasPrefix("…"))
        #expect(narrow.contains("x2x4q/log  @4000000065e07a152f072f40.s  active"))
    }

    @Test("A screen with too few rows shows the first files and counts the rest")
    func rows() {
        let many = (0..<30).map { file($0, "/l/\($0)", "/l/\($0)", size: 1, offset: 0) }
        let shown = lines(many, .path, screen(80, rows: 10))
        #expect(shown.count == 10)
        #expect(shown[8] == "… and 23 more")
        #expect(shown[9].hasPrefix("30 files in 30 streams, 30 behind by 30 B in all"))
        var look = screen(80, rows: 10)
        look.screen?.isScrolled = true
        #expect(lines(many, .path, look).count == 32)
    }

    @Test("Colour is for screens that want it, and ends with each line")
    func colour() {
        for line in lines(three, .path, screen(100, colour: true)).dropLast() {
            #expect(line.contains("\u{1B}["))
            #expect(line.hasSuffix("\u{1B}[0m"))
        }
        #expect(lines(three)[1] == lines(three, .path, .plain)[1])
    }

    @Test("X7: a name cannot steer the terminal, whatever it holds")
    func hostile() {
        let name = "/a\u{1B}[2J\n\u{9B}31m\u{202E}b\u{2028}\u{E000}ü" + "e\u{301}\u{301}\u{301}"
        let shown = lines([file(1, name, name, size: 1, offset: 0)])
        #expect(shown.count == 3)
        #expect(
            shown[1].contains(#"a\u{1b}[2J\u{a}\u{9b}31m\u{202e}b\u{2028}\u{e000}ü"#))
        #expect(shown[1].contains("e\u{301}\u{301}\\u{301}"))
        // What a name of bytes that are no text is spelled as.
        let bytes = file(2, #"/l/\xff\xfe"#, #"/l/\xff\xfe"#, size: 1, offset: 0)
        #expect(lines([bytes])[1].contains(#"/l/\xff\xfe  \xff\xfe"#))
        let any = (0..<0x3000).compactMap { Unicode.Scalar($0 as Int) }
        var text = "/"
        text.unicodeScalars.append(contentsOf: any)
        for scalar in PrintableText.of(text).unicodeScalars {
            #expect(scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value))
        }
    }

    @Test("Wide characters take two columns, and what follows them is aligned")
    func wide() {
        let files = [
            file(1, "/l/日本", "/l/日本", size: 1, offset: 1),
            file(2, "/l/ascii", "/l/ascii", size: 1, offset: 1),
        ]
        let shown = lines(files)
        #expect(shown[1].hasPrefix("/l/ascii  ascii  active"))
        #expect(shown[2].hasPrefix("/l/日本   日本   active"))
        #expect(PrintableText.cutFront("日本日本", to: 5) == "…日本")
        #expect(PrintableText.cutFront("日本日本", to: 4) == "…本")
    }

    @Test(
        "Sizes for people keep three digits",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_188, "9.9 KiB"),
            (10_200, "10 KiB"), (1_047_999, "1023 KiB"), (1_048_064, "1.0 MiB"),
            (Int.max, "8.0 EiB"),
        ])
    func sizes(_ bytes: Int, _ text: String) { #expect(FileTable.bytes(bytes) == text) }
}

@Suite("registry show: what can be said of a file now")
struct FileGlanceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func entry(
        _ path: String, _ number: Int = 1, device: UInt64? = nil, inode: UInt64? = nil,
        stream: String? = nil
    ) throws -> FileEntry {
        let here = try FileStatus.glance(at: Array(directory.path.utf8))
        return FileEntry(
            file: FileID(number: number), input: "pods", stream: stream ?? path, path: path,
            identity: FileIdentity(
                handle: nil, device: device ?? here.device, inode: inode ?? here.inode, birth: nil),
            fingerprint: .of(head: []), generation: GenerationID(value: 1), generationCount: 0,
            base: 0, offset: 2, anchor: .none, size: 3, state: .active, updated: .now())
    }

    private func look(_ entry: FileEntry) -> (ShownFile.State, PhysicalOffset) {
        var glance = FileGlance()
        let shown = glance.look(at: entry)
        return (shown.state, shown.size)
    }

    @Test("A file that is there has its size now, also under the name that a rotation gave it")
    func there() throws {
        let path = try directory.write("app.log", "12345")
        let status = try FileStatus.glance(at: Array(path.utf8))
        let mine = try entry(path, inode: status.inode)
        #expect(look(mine) == (.active, 5))
        try rename(path, directory.path("app.log.1"))
        #expect(look(mine) == (.active, 5))
        try directory.write("app.log", "another")
        #expect(look(mine) == (.active, 5))
    }

    private func format(of entry: FileEntry) -> ShownFormat? {
        var glance = FileGlance()
        return glance.look(at: entry).format
    }

    @Test(
        "A file's format is what its place and its first lines tell now")
    func formats() throws {
        let cri = "2026-11-23T05:00:00Z stdout F a\n"
        let docker = #"{"log":"a\n","stream":"stdout","time":"2026-11-23T05:00:00Z"}"# + "\n"
        let files: [(String, [UInt8], ShownFormat?)] = [
            ("cri.log", Array(cri.utf8), .cri), ("docker.log", Array(docker.utf8), .docker),
            ("plain.log", Array("a line\n".utf8), .plain), ("empty.log", [], nil),
            ("packed.log", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0], nil),
        ]
        for (number, (name, bytes, format)) in files.enumerated() {
            let path = try directory.write(name, bytes)
            let inode = try FileStatus.glance(at: Array(path.utf8)).inode
            let mine = try entry(path, number, inode: inode)
            #expect(self.format(of: mine) == format, "\(name)")
            try rename(path, path + ".1")
            #expect(self.format(of: mine) == format, "\(name)")
            #expect(try self.format(of: entry(path, number, inode: 1)) == nil)
        }
        let current = try directory.write("s6/current", cri)
        let inode = try FileStatus.glance(at: Array(current.utf8)).inode
        let s6 = try entry(current, 9, inode: inode, stream: directory.path("s6"))
        #expect(format(of: s6) == .s6)
    }

    @Test("A file that was renamed is found in a directory whose name is no text")
    func namedInBytes() throws {
        let place = Array(directory.path("d").utf8) + [0xFF]
        try makeDirectory(named: place)
        let path = place + Array("/app.log.1".utf8)
        try appendBytes(Array("12345".utf8), toName: path)
        let status = try FileStatus.glance(at: path)
        let former = PathText.text(place) + "/app.log"
        #expect(try look(entry(former, inode: status.inode)) == (.active, 5))
    }

    @Test(
        "A file that was removed is gone; one whose volume is not there, or that nobody may see, is not"
    )
    func missing() throws {
        #expect(try look(entry(directory.path("a.log"))) == (.gone, 3))
        #expect(try look(entry(directory.path("no/such/a.log"))) == (.gone, 3))
        #expect(try look(entry(directory.path("a.log"), device: 0xDEAD)) == (.unreachable, 3))
        // A loop of links cannot be looked through.
        try makeLink(directory.path("loop"), to: directory.path("loop"))
        #expect(try look(entry(directory.path("loop/a.log"))) == (.unreachable, 3))
    }
}
