import Platform
import Testing

@Suite struct OptionParserTests {
    static let options: [OptionParser.Specification] = [
        .init(name: "config", short: "c", takesValue: true),
        .init(name: "confirm", takesValue: false),
        .init(name: "once", short: "o", takesValue: false),
        .init(name: "seconds", takesValue: true),
    ]

    static let taken: [(arguments: [String], options: [String], operands: [String])] = [
        ([], [], []),
        (["--config", "a"], ["config=a"], []),
        (["--config=a=b"], ["config=a=b"], []),
        (["--config="], ["config="], []),
        (["-c", "a", "-o"], ["config=a", "once"], []),
        (["-oca"], ["once", "config=a"], []),
        (["--sec", "5"], ["seconds=5"], []),
        (["x", "--once", "y", "-c", "--", "z"], ["once", "config=--"], ["x", "y", "z"]),
        (["--once", "--", "--once", "-"], ["once"], ["--once", "-"]),
        (["-", "--once"], ["once"], ["-"]),
        (["--once", "--once"], ["once", "once"], []),
        (["ü", "--config", "ö"], ["config=ö"], ["ü"]),
        ([""], [], [""]),
    ]

    @Test(arguments: taken)
    func conventionsOfGNUAreTaken(
        arguments: [String], options: [String], operands: [String]
    ) throws {
        let result = try OptionParser.parse(arguments, Self.options)
        #expect(result.options.map { $0.name + ($0.value.map { "=" + $0 } ?? "") } == options)
        #expect(result.operands == operands)
    }

    static let refused: [(arguments: [String], error: String)] = [
        (["--confog"], "unknown option --confog"),
        (["--confog=5"], "unknown option --confog"),
        (["x", "-x"], "unknown option -x"),
        (["-ox"], "unknown option -x"),
        (["--conf", "a"], "option --conf is ambiguous: it may be --config or --confirm"),
        (["--config"], "option --config needs a value"),
        (["--confi"], "option --confi is ambiguous: it may be --config or --confirm"),
        (["-c"], "option -c needs a value"),
        (["--once=5"], "option --once takes no value"),
        (["--on=5"], "option --once takes no value"),
        (["-ü"], "unknown option -ü"),
    ]

    @Test(arguments: refused)
    func whatIsWrongIsNamedAsItWasWritten(arguments: [String], error: String) {
        #expect {
            try OptionParser.parse(arguments, Self.options)
        } throws: {
            ($0 as? OptionError)?.description == error
        }
    }

    @Test func aCommandKeepsItsOwnOptions() throws {
        let result = try OptionParser.parse(
            ["--once", "run", "--other", "-x"], Self.options, .beforeOperands)
        #expect(result.options.map(\.name) == ["once"])
        #expect(result.operands == ["run", "--other", "-x"])
    }

    @Test func parsersOnManyThreadsDoNotMixTheirArguments() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<64 {
                group.addTask {
                    let result = try OptionParser.parse(
                        ["a", "--seconds", "\(number)", "b"], Self.options)
                    #expect(result.options.map(\.value) == ["\(number)"])
                    #expect(result.operands == ["a", "b"])
                }
            }
            try await group.waitForAll()
        }
    }
}

@Suite struct ProcessContextTests {
    @Test func theEnvironmentIsRead() {
        let path = ProcessContext.environment()["PATH"]
        #expect(path?.contains("/") == true)
    }

    @Test func theHostHasAName() throws {
        #expect(try !ProcessContext.hostName().isEmpty)
    }
}
