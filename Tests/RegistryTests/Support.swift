import Model
import Platform
import Synchronization
import TestSupport

@testable import Registry

/// Remembers what it heard.
final class Recorder: RegistryObserver {
    private struct State {
        var failures: [RegistryError] = []
        var recoveries = 0
        var syncs = 0
        var compactions = 0
        var cannotSetAside: [RegistryError] = []
    }
    private let state = Mutex(State())

    var failures: [RegistryError] { state.withLock { $0.failures } }
    var recoveries: Int { state.withLock { $0.recoveries } }
    var syncs: Int { state.withLock { $0.syncs } }
    var compactions: Int { state.withLock { $0.compactions } }
    var cannotSetAside: [RegistryError] { state.withLock { $0.cannotSetAside } }

    func report(_ event: RegistryEvent) {
        state.withLock { state in
            switch event {
            case .opened: break
            case .writeFailed(let error): state.failures.append(error)
            case .writeRecovered: state.recoveries += 1
            case .synced: state.syncs += 1
            case .compacted: state.compactions += 1
            case .cannotSetAside(let error): state.cannotSetAside.append(error)
            }
        }
    }
}

/// Remembers each step, and calls a test's closure before it.
final class Witness: FileStepWitness {
    private let body: @Sendable (FileStep) -> Errno?
    private let seen = Mutex<[FileStep]>([])

    init(_ body: @escaping @Sendable (FileStep) -> Errno? = { _ in nil }) { self.body = body }

    var steps: [FileStep] { seen.withLock { $0 } }

    func willTake(_ step: FileStep) throws(SystemError) {
        seen.withLock { $0.append(step) }
        if let code = body(step) { throw SystemError("test", code: code) }
    }
}

/// A data directory that is removed after the test.
struct Data {
    let temporary: TemporaryDirectory
    var path: String { temporary.path("data") }

    init() throws { temporary = try TemporaryDirectory(inMemory: true) }

    func open(
        _ observer: any RegistryObserver = Recorder(), allowsCuts: Bool = false,
        witness: any FileStepWitness = SilentWitness()
    ) throws -> Registry {
        try Registry.open(
            directory: path, observer: observer, allowsCuts: allowsCuts, witness: witness)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try readFile(temporary.path("data/registry/\(name)"))
    }

    func put(_ name: String, _ bytes: [UInt8]) throws {
        try temporary.write("data/registry/\(name)", bytes)
    }

    var names: [String] { get throws { try temporary.names("data/registry") } }

    /// What an agent would read that starts now.
    func recovery() throws -> Recovery {
        let files = try Descriptor.directory(atPath: "\(path)/registry")
        return try Recovery(reading: files, path: "\(path)/registry")
    }

    /// The same files in another place: what a kill at this moment leaves.
    func copy() throws -> Data {
        let other = try Data()
        _ = try other.temporary.makeDirectory("data/registry")
        try changeMode(other.path, 0o700)
        for name in try names { try other.put(name, try bytes(name)) }
        return other
    }
}

extension FileIdentity {
    static func sample(_ number: UInt64, handle: Bool = true) -> FileIdentity {
        FileIdentity(
            handle: handle
                ? [
                    0, 0, 0, 1, UInt8(truncatingIfNeeded: number),
                    UInt8(truncatingIfNeeded: number >> 8),
                ]
                : nil,
            device: 64768, inode: 1000 + number,
            birth: 1_700_000_000_000_000_000 + Int64(truncatingIfNeeded: number))
    }
}

extension NewFile {
    static func sample(
        _ number: UInt64, input: String = "pods", path: String? = nil, head: String = "head",
        offset: PhysicalOffset = .start
    ) -> NewFile {
        NewFile(
            input: input, stream: "shop/orders", path: path ?? "/data/logs/\(number)/current",
            identity: .sample(number), fingerprint: .of(head: Array(head.utf8)), offset: offset,
            size: 4096)
    }
}

extension FileEntry {
    static func sample(
        _ number: Int, path: String = "/data/logs/a/current", stream: String = "shop/orders"
    ) -> FileEntry {
        FileEntry(
            file: FileID(number: number), input: "pods", stream: stream, path: path,
            identity: .sample(UInt64(number)), fingerprint: .of(head: [1, 2, 3]),
            generation: GenerationID(value: 0x0123_4567_89AB_CDEF), generationCount: 2, base: 512,
            offset: 4711, anchor: Anchor(bytes: [0, 255]), size: 5000, state: .active,
            updated: Timestamp(milliseconds: 1_795_406_555_685))
    }
}

extension Registry {
    /// One file's position moved in its present generation.
    @discardableResult
    func advance(_ entry: FileEntry, to offset: LogicalOffset) -> Int {
        advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: offset,
                anchor: Anchor(bytes: Array("\(offset)".utf8)))
        ])
    }
}

extension Registry {
    /// Syncs until everything is written: a rewrite that failed and was slow, as on a machine with much to do, is
    /// not tried again at once.
    func recover() throws {
        try eventually("the registry writes again") {
            sync()
            return isWritten && health.failure == nil
        }
    }
}
