import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Whether the file system of a missing file is there") struct DirectoryPlaceTests {
    let directory: TemporaryDirectory
    let device: UInt64

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectory("logs/pod")
        device = try FileStatus.glance(at: Array(directory.path("logs").utf8)).device
    }

    @Test(
        "a directory that is there, or gone from a file system that is, lacks files of that one alone"
    )
    func lacks() {
        let there = DirectoryPlace.of(ExactText(directory.path("logs/pod")))
        #expect(there == .there(device: device))
        let gone = DirectoryPlace.of(ExactText(directory.path("logs/away/log")))
        let nearest = Array(directory.path("logs/.").utf8)
        #expect(gone == .gone(nearest: nearest, device: device))
        for place in [there, gone] {
            #expect(place.lacks(device: device))
            // A volume that was mounted there, or above, and is not now.
            #expect(!place.lacks(device: device + 1))
        }
        #expect(!DirectoryPlace.outOfReach.lacks(device: device))
    }
}
