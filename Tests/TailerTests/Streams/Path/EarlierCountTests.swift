import Model
import TestSupport
import Testing

@testable import Tailer

@Suite("How many earlier files all logs have")
struct EarlierCountTests {
    @Test("each log's files before its last one, whatever becomes of them and of the log")
    func counts() throws {
        let bench = try ParkingBench(mostOpen: 32)
        for number in 0..<5 { try bench.write("\(number).log", "line\n") }
        try bench.settle()
        let files = bench.files
        #expect(files.count == 5)
        let count = EarlierCount()
        func stream(_ number: Int) -> LogStream {
            LogStream(
                id: StreamID(number: number), kind: .path, name: "/log/\(number)",
                liveName: Array("\(number)".utf8), input: 0, captures: [:], earlierFiles: count)
        }
        let one = stream(1)
        one.files = []
        #expect(count.total == 0)
        one.files = files
        #expect(count.total == 4)
        one.files.removeFirst()
        #expect(count.total == 3)
        do {
            let two = stream(2)
            two.files = [files[0]]
            #expect(count.total == 3)
            two.files.append(files[1])
            two.files.insert(files[2], at: 0)
            #expect(count.total == 5)
        }
        // It ended with its files.
        #expect(count.total == 3)
        one.files = [files[4]]
        #expect(count.total == 0)
    }
}
