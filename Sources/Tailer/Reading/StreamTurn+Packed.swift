import Model
import Platform

/// Compressed files: when they are found to be, and what is known of their end.
extension StreamTurn {
    /// Its bytes are not what it holds.
    func beginsCompressed(_ file: TailedFile) -> Bool {
        guard file.packed == nil, file.isAtStart,
            stream.kind == .path || (file.isFinal && file.name != S6Name.previous)
        else { return false }
        return buffer.withBytes(of: file) { chunk in
            var head: [UInt8] = []
            for index in 0..<min(chunk.count, Compression.longestMagic) {
                head.append(chunk[index])
            }
            return Compression(head: head) != nil
        }
    }

    /// How long the content of a compressed file is was found out, or that it is longer than was
    /// known.
    func noteEnd(of file: TailedFile) {
        guard let packed = file.packed, buffer.isFresh else { return }
        output.grew(file.id, size: file.size)
        if packed.fault != nil { tellEnd(of: file) }
    }

    /// Says once what is wrong with the end of a compressed file, and what is missing.
    func tellEnd(of file: TailedFile) {
        guard let packed = file.packed, packed.isAtEnd, file.becomeDamaged() else { return }
        if let fault = packed.fault {
            output.report(.damaged(path: file.path, error: fault))
        } else if PhysicalOffset(packed.size) < file.physicalPosition {
            output.report(
                .endsEarly(
                    path: file.path, read: file.physicalPosition,
                    size: PhysicalOffset(packed.size)))
        }
        if let range = file.content.missingAtEnd {
            let reason: LossReason = packed.fault == nil ? .truncated : .damaged
            output.report(.lost(path: file.path, range: range, reason: reason))
        }
    }
}
