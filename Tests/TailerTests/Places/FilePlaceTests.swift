import Glibc
import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

/// Each case beneath a directory whose name is text, and beneath one whose name is none.
@Suite("A look at a place says missing only of what is") struct FilePlaceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let names: [[UInt8]] = [Array("pod".utf8), [0x70, 0xFF, 0x5C, 0x78, 0x66, 0x66]]

    /// A directory that holds one of everything.
    private func make(_ name: [UInt8]) throws -> [UInt8] {
        let place = Array(directory.path.utf8) + [0x2F] + name
        func path(_ name: String) -> [UInt8] { place + Array("/\(name)".utf8) }
        try makeDirectory(named: place)
        try makeDirectory(named: path("directory"))
        try appendBytes(Array("12345".utf8), toName: path("file"))
        try makeLink(named: path("link"), to: path("file"))
        try makeLink(named: path("loop"), to: path("loop"))
        try makeLink(named: path("way"), to: path("directory"))
        try appendBytes(Array("123".utf8), toName: path("directory/beneath"))
        let pipe = directory.path("pipe")
        try makeFIFO(pipe)
        try rename(named: Array(pipe.utf8), to: path("pipe"))
        return place
    }

    enum Answer: Equatable { case found(Int), other, missing, failed(Errno), away }

    private func answer(_ look: PlaceLook<FilePlace.Opened>) -> Answer {
        answer(look.only { $0.status })
    }

    private func answer(_ look: PlaceLook<FileStatus>) -> Answer {
        switch look {
        case .found(let status): .found(status.size)
        case .other: .other
        case .missing: .missing
        case .unreachable(.failed(let error)): .failed(error.code)
        case .unreachable(.away): .away
        }
    }

    @Test(
        "A saved path: links lead to its directory, and none from its name; a loop of them proves nothing",
        arguments: names)
    func saved(name: [UInt8]) throws {
        let place = PathText.text(try make(name))
        for (path, expected) in [
            ("file", .found(5)), ("way/beneath", .found(3)), ("link", .other), ("pipe", .other),
            ("directory", .other), ("nothing", .missing), ("no/such", .missing),
            ("file/beneath", .missing), ("loop/file", .failed(.tooManyLinks)),
            (String(repeating: "x", count: 300), .failed(Errno(ENAMETOOLONG))),
        ] as [(String, Answer)] {
            let found = try #require(FilePlace(saved: "\(place)/\(path)"))
            #expect(answer(found.open()) == expected, "\(path)")
        }
        // A glance opens nothing, and says of everything what it is.
        for (path, isThere) in [
            ("file", true), ("link", true), ("pipe", true), ("way/beneath", true),
            ("nothing", false), ("file/beneath", false),
        ] {
            let look = try #require(FilePlace(saved: "\(place)/\(path)")).glance()
            if case .found = look { #expect(isThere, "\(path)") } else { #expect(look == .missing) }
        }
        #expect(
            answer(try #require(FilePlace(saved: "\(place)/loop/file")).glance())
                == .failed(.tooManyLinks))
    }

    @Test("Beneath a pattern's prefix no link is followed, and what is behind one is not there")
    func beneath() throws {
        for name in Self.names {
            let place = try make(name)
            let link = Array(directory.path.utf8) + Array("/to-".utf8) + name
            try makeLink(named: link, to: place)
            func look(_ below: String, _ file: String, through: [UInt8] = name) -> Answer {
                let below = below.isEmpty ? through : through + Array("/\(below)".utf8)
                let place = FilePlace(
                    prefix: directory.path, below: below, name: Array(file.utf8))
                return answer(place.open())
            }
            #expect(look("", "file") == .found(5))
            #expect(look("directory", "beneath") == .found(3))
            #expect(look("way", "beneath") == .missing)
            #expect(look("loop", "beneath") == .missing)
            #expect(look("no", "such") == .missing)
            #expect(look("file", "beneath") == .missing)
            #expect(look("", "link") == .other)
            #expect(look("", "file", through: Array("to-".utf8) + name) == .missing)
        }
    }

    @Test("A loop of links on the way to a pattern's prefix proves nothing")
    func loopBeforePrefix() throws {
        let place = PathText.text(try make(Array("pod".utf8)))
        for below in ["", "directory"] {
            let place = FilePlace(
                prefix: "\(place)/loop/app", below: Array(below.utf8), name: Array("file".utf8))
            #expect(answer(place.open()) == .failed(.tooManyLinks))
        }
        let missing = FilePlace(
            prefix: "\(place)/no/such", below: Array("directory".utf8), name: Array("file".utf8))
        #expect(answer(missing.open()) == .missing)
    }

    @Test("What is missing is out of reach where its directory is on another device than it was")
    func away() throws {
        let path = directory.path("a.log")
        let place = try #require(FilePlace(saved: path))
        let device = try FileStatus.glance(at: Array(directory.path.utf8)).device
        let there = DirectoryPlace.of(ExactText(directory.path))
        #expect(answer(place.glance().unlessAway(device, there)) == .missing)
        #expect(answer(place.glance().unlessAway(device + 1, there)) == .away)
        #expect(answer(place.glance().unlessAway(device, .outOfReach)) == .away)
        try directory.write("a.log", "12345")
        // What is there is there, whatever its directory says.
        #expect(answer(place.glance().unlessAway(device + 1, there)) == .found(5))
        let another = place.glance().only { (_: FileStatus) -> FileStatus? in nil }
        #expect(answer(another.unlessAway(device, there)) == .other)
    }

    @Test("Names are listed by inode number, in a directory whose name is no text and in the root")
    func listed() throws {
        for name in Self.names {
            let place = PathText.text(try make(name))
            let file = try #require(FilePlace(saved: "\(place)/nothing"))
            let inode = try FileStatus.glance(at: PathText.bytes(of: "\(place)/file")).inode
            guard case .found(let names) = file.names() else {
                Issue.record("\(file.names())")
                return
            }
            #expect(names[inode] == Array("file".utf8))
            let other = file.beside(names[inode] ?? [])
            #expect(answer(other.open()) == .found(5))
        }
        #expect(
            try #require(FilePlace(saved: "\(directory.path)/no/such")).names() == .missing)
        let root = try #require(FilePlace(saved: "/nothing-of-that-name"))
        guard case .found(let names) = root.names() else {
            Issue.record("\(root.names())")
            return
        }
        #expect(names.values.contains(Array("proc".utf8)))
        #expect(answer(root.open()) == .missing)
        #expect(FilePlace(saved: "no-path") == nil)
    }
}
