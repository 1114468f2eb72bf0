import Platform

extension ContainerFormat {
    /// Bytes of a file's beginning that tell how its lines are written.
    package static let headLength = 1024
    /// Lines of that which are looked at.
    private static let mostLines = 8

    /// How a container runtime wrote a file that begins with `head`, if one did: more of its first
    /// lines are of that format than are not. A line of which `head` has not the end counts as far
    /// as it is there.
    package static func guess(_ head: Span<UInt8>) -> ContainerFormat? {
        var counts: [ContainerFormat?: Int] = [:]
        var lines = 0
        var start = 0
        while start < head.count, lines < mostLines {
            let end = ByteSearch.newline(in: head, from: start)
            let line = head.extracting(start..<(end ?? head.count))
            // Too little of a line says nothing against what those before it say.
            if end == nil, line.count < shortest, lines > 0 { break }
            counts[of(line, isWhole: end != nil), default: 0] += 1
            lines += 1
            start = (end ?? head.count) + 1
        }
        for format in allCases where 2 * counts[format, default: 0] > lines { return format }
        return nil
    }

    /// Bytes of a line that tell what it is.
    private static let shortest = 64

    private static func of(_ line: Span<UInt8>, isWhole: Bool) -> ContainerFormat? {
        var cri = CRIReader()
        if cri.read(line) != nil { return .cri }
        var docker = DockerReader()
        if docker.read(line) != nil { return .docker }
        guard !isWhole, line.count >= begin.count else { return nil }
        for index in begin.indices where line[index] != begin[index] { return nil }
        return .docker
    }

    private static let begin = Array(#"{"log":""#.utf8)
}
