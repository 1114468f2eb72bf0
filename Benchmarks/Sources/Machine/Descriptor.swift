internal import CMachine
internal import Glibc

/// An open file, pipe or process, closed by the end of its owner.
struct Descriptor: ~Copyable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(MachineError) -> Descriptor {
        let raw = unsafe cmachine_open(path, flags, mode)
        guard raw >= 0 else { throw MachineError("open", path) }
        return Descriptor(owning: raw)
    }

    deinit { _ = close(raw) }
}
