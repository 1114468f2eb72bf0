package import Platform

/// How the front of a file can be taken away in a directory. Tried on a scratch file there, for
/// what a file system says of itself is no proof.
package enum FrontRemoval: Hashable, Sendable {
    /// What is left moves to the front; multiples of `alignment` may go.
    case collapse(alignment: Int)
    /// The front becomes a hole; multiples of `alignment` may.
    case punch(alignment: Int)
    /// Neither.
    case none(SystemError)

    /// The scratch file's; no pattern leads to a name that begins with a dot unless it says so.
    static let name = Array(".shipper-probe".utf8)
    /// Blocks that file systems have, and clusters of some; tried in this order.
    private static let alignments = [4 << 10, 64 << 10, 1 << 20]

    /// Throws where no file can be made or written there now.
    package static func probe(
        in directory: borrowing Descriptor
    ) throws(SystemError) -> FrontRemoval {
        let scratch = try makeScratch(in: directory)
        try directory.remove(name)
        var failure = SystemError("fallocate", code: .notSupported)
        for alignment in alignments {
            do throws(SystemError) {
                if try collapses(scratch, alignment) { return .collapse(alignment: alignment) }
            } catch {
                guard !error.code.isLackOfRoom else { throw error }
                failure = error
            }
        }
        do throws(SystemError) {
            let alignment = alignments[0]
            try fill(scratch, alignment)
            try scratch.punch(0..<alignment)
            let isHole = try scratch.read(count: alignment, at: 0).allSatisfy { $0 == 0 }
            if isHole, try scratch.holds([2].span, at: alignment) {
                return .punch(alignment: alignment)
            }
        } catch {
            guard !error.code.isLackOfRoom else { throw error }
            failure = error
        }
        return .none(failure)
    }

    /// One that a killed run has left is removed first.
    private static func makeScratch(
        in directory: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try directory.makeFile(name)
        } catch {
            guard error.code == .exists else { throw error }
            try directory.remove(name)
            return try directory.makeFile(name)
        }
    }

    /// One block of ones, and one and a byte of twos.
    private static func fill(
        _ scratch: borrowing Descriptor, _ alignment: Int
    ) throws(SystemError) {
        try scratch.truncate(to: 0)
        try scratch.write(
            [UInt8](repeating: 1, count: alignment) + [UInt8](repeating: 2, count: alignment + 1))
        try scratch.synchroniseData()
    }

    private static func collapses(
        _ scratch: borrowing Descriptor, _ alignment: Int
    ) throws(SystemError) -> Bool {
        try fill(scratch, alignment)
        try scratch.punch(0..<alignment)
        try scratch.synchroniseData()
        try scratch.collapse(front: alignment)
        let left = try scratch.read(count: alignment + 2, at: 0)
        return left.count == alignment + 1 && left.allSatisfy { $0 == 2 }
    }
}
