import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("A configuration of logrotate's becomes one of ours")
struct LogrotateReaderTests {
    /// Of one file, with what it includes.
    private func read(_ text: String, _ more: [String: [(String, String)]] = [:]) -> LogrotateReader
    {
        var reader = LogrotateReader { path in
            if path == "f" { return [("f", text)] }
            return more[path].map { $0.map { (path: $0.0, text: $0.1) } }
        }
        reader.read("f")
        return reader
    }

    private func text(_ text: String) -> LogrotateText {
        LogrotateText(read(text).stanzas, from: "f")
    }

    /// What is printed is a configuration of ours.
    private func settings(_ inputs: String) throws -> Settings {
        try Settings.parse(inputs + "output: {kafka: {brokers: embedded, topic: logs}}\n")
    }

    /// As distributions and their packages bring them, and as people write them: each with a line
    /// that has to stand in what is printed, and one of what is told.
    private static let realistic: [(name: String, text: String, keeps: [String], tells: [String])] =
        [
            (
                "an application's, as it is replaced here",
                """
                /data/logs/*/*/*/log/*.log {
                    su www-data www-data
                    missingok
                    notifempty
                    size 1G
                    rotate 3
                    copytruncate
                }
                """,
                ["size: 1GiB", "keep: 3", "missing_ok: true"],
                ["su www-data www-data: not supported yet"]
            ),
            (
                "nginx",
                """
                /var/log/nginx/*.log {
                \tdaily
                \tmissingok
                \trotate 14
                \tcompress
                \tdelaycompress
                \tnotifempty
                \tcreate 0640 www-data adm
                \tsharedscripts
                \tprerotate
                \t\tif [ -d /etc/logrotate.d/httpd-prerotate ]; then \\
                \t\t\trun-parts /etc/logrotate.d/httpd-prerotate; \\
                \t\tfi \\
                \tendscript
                \tpostrotate
                \t\tinvoke-rc.d nginx rotate >/dev/null 2>&1
                \tendscript
                }
                """,
                ["schedule: \"0 0 * * *\"", "keep: 14", "compress: gzip", "delay_compress: true"],
                [
                    "postrotate: not run", "invoke-rc.d nginx rotate",
                    "create 0640 www-data adm: leave",
                ]
            ),
            (
                "rsyslog",
                """
                /var/log/syslog
                /var/log/mail.log
                /var/log/kern.log
                /var/log/auth.log
                {
                        rotate 4
                        weekly
                        missingok
                        notifempty
                        compress
                        delaycompress
                        sharedscripts
                        postrotate
                                /usr/lib/rsyslog/rsyslog-rotate
                        endscript
                }
                """,
                ["schedule: \"0 0 * * 0\"", "- \"/var/log/mail.log\"", "keep: 4"],
                ["rsyslog-rotate"]
            ),
            (
                "apt",
                "/var/log/apt/term.log {\n  rotate 12\n  monthly\n  compress\n  missingok\n  notifempty\n}\n",
                ["schedule: \"0 0 1 * *\"", "delay_compress: false"], []
            ),
            (
                "dpkg, with numbers at the end of the line",
                "/var/log/dpkg.log {\n\tmonthly\n\trotate 12\n\tcompress\n\tdelaycompress\n\tmissingok\n"
                    + "\tnotifempty\n\tcreate 644 root root\n}\n",
                ["keep: 12"], ["create 644 root root"]
            ),
            (
                "postgresql",
                "/var/log/postgresql/*.log {\n       weekly\n       rotate 10\n       copytruncate\n"
                    + "       delaycompress\n       compress\n       notifempty\n       missingok\n       su root root\n}\n",
                ["keep: 10", "delay_compress: true"], ["su root root"]
            ),
            (
                "mysql, with quotes and a list",
                "\"/var/log/mysql/error.log\" '/var/log/my sql/slow.log' {\n daily\n rotate 7\n missingok\n "
                    + "create 640 mysql adm\n compress\n sharedscripts\n postrotate\n  test -x /usr/bin/mysqladmin || exit 0\n"
                    + " endscript\n}\n",
                ["- \"/var/log/my sql/slow.log\"", "keep: 7"], ["postrotate"]
            ),
            (
                "docker, as people write it",
                "/var/lib/docker/containers/*/*.log {\n  rotate 7\n  daily\n  compress\n  size=1M\n  missingok\n"
                    + "  delaycompress\n  copytruncate\n}\n",
                ["size: 1MiB", "keep: 7"], []
            ),
            (
                "hourly, with maxsize and dates",
                "/srv/app/log/app.log {\n  hourly\n  maxsize 500M\n  rotate 48\n  dateext\n  dateformat -%Y%m%d-%H\n"
                    + "  nocompress\n  nomissingok\n}\n",
                ["schedule: \"0 * * * *\"", "size: 500MiB", "missing_ok: false"],
                ["dateext", "dateformat"]
            ),
            (
                "archives elsewhere, compressed otherwise",
                "/opt/x/x.log {\n weekly 1\n rotate 5\n olddir /opt/x/old\n compress\n compresscmd /usr/bin/xz\n"
                    + " compressext .xz\n compressoptions -T1\n mail ops@example.org\n}\n",
                ["schedule: \"0 0 * * 1\"", "compress: gzip"],
                ["olddir /opt/x/old", "compresscmd /usr/bin/xz", "compressext .xz", "mail ops"]
            ),
            (
                "what loses lines: rotate 0",
                "/tmp/a.log {\n size 10k\n rotate 0\n copytruncate\n}\n",
                ["size: 64KiB", "keep: 1"], ["rotate 0", "size 10k: the least is 64KiB"]
            ),
            (
                "wtmp",
                "/var/log/wtmp {\n    missingok\n    monthly\n    create 0664 root utmp\n    minsize 1M\n    rotate 1\n}\n",
                ["keep: 1"], ["minsize 1M"]
            ),
            (
                "yearly, old, tabbed, with comments",
                "# a comment { with a brace\n/var/log/y.log\t{ # and another\n\tyearly # a third\n\trotate -1\n\tmaxage 365\n}\n",
                ["schedule: \"0 0 1 1 *\"", "keep: 100000", "max_age: 365d"], ["rotate -1"]
            ),
            (
                "all on one line", "/var/log/one.log { daily }\n/var/log/two.log {\n}\n",
                ["schedule: \"0 0 * * *\"", "size: 1MiB", "name: one\n", "name: two\n"],
                ["rotate 0"]
            ),
            (
                "paths that cannot be",
                "~/x.log {\n}\n\"/var/log/{a}.log\" {\n daily\n}\n",
                ["inputs: []"], ["braces"]
            ),
            (
                "a directory, and archives that go before the week is over",
                "/var/log/a.log /var/log/dir/ /var/log/[x {\n weekly 7\n maxage 3\n}\n",
                ["age: 7d", "max_age: 7d", "- \"/var/log/a.log\"\n"],
                ["/var/log/dir/", "/var/log/[x", "maxage 3"]
            ),
        ]

    @Test(
        "O5: what a stanza says is kept, what cannot be is named, and our reader accepts it",
        arguments: realistic.map(\.name))
    func stanza(name: String) throws {
        let one = try #require(Self.realistic.first { $0.name == name })
        let made = text(one.text)
        let rotated = made.text.split(separator: "\n").filter { !$0.contains("#") }.joined(
            separator: "\n")
        for line in one.keeps {
            // A whole line's end: `keep: 1` is not `keep: 10`.
            let end = line.hasSuffix("\n") ? line : line + "\n"
            #expect((rotated + "\n").contains(end), "\(line) in\n\(made.text)")
        }
        let comments = made.text.split(separator: "\n").filter { $0.contains("# ") }.joined(
            separator: "\n")
        for words in one.tells { #expect(comments.contains(words), "\(words) in\n\(made.text)") }
        if rotated.contains("- name") { _ = try settings(made.text) }
    }

    @Test func allOfThemTogetherAreOneConfiguration() throws {
        let all = Self.realistic.filter { !$0.name.contains("cannot") }.map(\.text)
            .joined(separator: "\n")
        let settings = try settings(text(all).text)
        #expect(settings.inputs.count == Self.realistic.count)
        #expect(Set(settings.inputs.map(\.name)).count == settings.inputs.count)
        #expect(settings.inputs.allSatisfy { $0.rotation != nil })
    }

    @Test(
        "globals hold for what follows, a stanza's own for itself, and includes are read in place")
    func includes() {
        let reader = read(
            """
            weekly
            rotate 4
            tabooext + .old
            taboopat + *secret*
            include d
            /var/log/last.log { rotate 9
            }
            """,
            [
                "d": [
                    ("d/a", "rotate 5\n/var/log/a.log {\n  daily\n}\n"),
                    ("d/b.dpkg-dist", "/var/log/b.log {\n}\n"),
                    ("d/c.old", "/var/log/c.log {\n}\n"), ("d/my-secrets", "/var/log/d.log {\n}\n"),
                    ("d/e", "/var/log/e.log {\n}\n"), ("d/f.bak", "/var/log/f.log {\n}\n"),
                    ("d/g.rhn-cfg-tmp-1", "/var/log/g.log {\n}\n"),
                ]
            ])
        #expect(reader.faults.isEmpty)
        #expect(
            reader.stanzas.map(\.patterns) == [
                ["/var/log/a.log"], ["/var/log/e.log"], ["/var/log/last.log"],
            ])
        let inputs = reader.stanzas.map { LogrotateInput($0) }
        #expect(inputs.map(\.keep) == [5, 5, 9])
        #expect(inputs.map(\.schedule) == ["0 0 * * *", "0 0 * * 0", "0 0 * * 0"])
        #expect(inputs[0].place == "d/a:2")
    }

    @Test("endings and patterns are one list, which takes the place of the other without a +")
    func taboo() {
        let files = ["d/.a", "d/.a.swp", "d/b.bak", "d/c.old", "d/secret"].map {
            ($0, "/\($0) {\n}\n")
        }
        func read(_ lines: String) -> [[String]] {
            self.read("\(lines)\ninclude d\n", ["d": files]).stanzas.map(\.patterns)
        }
        let dots = [["/d/.a"], ["/d/.a.swp"]]
        #expect(read("") == dots + [["/d/c.old"], ["/d/secret"]])
        #expect(read("taboopat *secret*") == dots + [["/d/b.bak"], ["/d/c.old"]])
        #expect(read("taboopat + .*.swp") == [["/d/.a"], ["/d/c.old"], ["/d/secret"]])
        let both = read("taboopat *secret*\ntabooext .old")
        #expect(both == dots + [["/d/b.bak"], ["/d/secret"]])
        #expect(read("taboopat + *secret*") == dots + [["/d/c.old"]])
    }

    @Test(
        "what cannot be read is told with its place, and nothing runs for ever",
        arguments: [
            ("/a.log {\n daily\n", "f: it ends within a stanza"),
            ("}\n", "f:1: a closing brace without an opening one"),
            ("{\n}\n", "f:1: a brace without a log before it"),
            ("include f\n", "included too deep"),
            ("include nowhere\n", "f:1: nowhere cannot be read"),
            ("/a.log {\n postrotate\n  x\n}\n", "f:2: postrotate without endscript"),
            ("\"/a.log {\n", "a quote that does not end"),
            ("/a.log {\n %%% \n}\n", "f:2: \"%%%\" is neither"),
            ("/a.log {\n include x\n}\n", "include within braces"),
        ])
    func faults(text: String, fault: String) {
        #expect(read(text).faults.contains { $0.contains(fault) }, "\(read(text).faults)")
    }

    @Test func whateverStandsThereDoesNotTrap() {
        var random = SplitMix(seed: 11)
        let pieces = [
            "/a", "{", "}", "\n", " ", "\"", "'", "\\", "#", "size", "=", "99999999999999999999G",
            "rotate", "-9", "include f", "postrotate", "endscript", "\u{0}", "é", "tabooext", "+",
            "maxage", "weekly", "9", "*", "**",
        ]
        for _ in 0..<3_000 {
            let count = Int.random(in: 0...25, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = LogrotateText(read(text).stanzas, from: "f")
        }
    }

    @Test(arguments: [
        ("100", 100), ("100k", 102_400), ("1M", 1 << 20), ("2G", 2 << 30), ("", nil), ("k", nil),
        ("-1", nil), ("1T", nil), ("99999999999G", nil),
    ])
    func sizes(text: String, bytes: Int?) { #expect(LogrotateInput.bytes(text) == bytes) }
}
