/// The segments of a pattern and the walk down the directories along them.
package struct PatternSegments: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        /// `**`: any number of directories, none included.
        case anyDirectories
        case name(SegmentPattern)
    }

    let segments: [Segment]

    init(_ segments: [Segment]) { self.segments = segments }

    /// Cuts `text` at its slashes; the segments and the names of their captures.
    static func parse(
        _ text: String
    ) throws(PathPatternError) -> (segments: [Segment], captures: [String]) {
        var names: [String] = []
        var segments: [Segment] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: true) {
            if part == "." || part == ".." { throw PathPatternError.dots(text) }
            if part == "**" {
                if segments.last != .anyDirectories { segments.append(.anyDirectories) }
                continue
            }
            let pattern = try SegmentPattern(part, in: text)
            for name in pattern.captures {
                if names.contains(name) { throw PathPatternError.captureTwice(name, in: text) }
                names.append(name)
            }
            segments.append(.name(pattern))
        }
        return (segments, names)
    }

    /// Where a walk stands.
    package struct WalkPoint: Hashable, Sendable {
        /// Index of the segment that the next name has to match.
        var segment: Int
        /// The names that captures stand for up to here.
        package internal(set) var captured: [String: String] = [:]
    }

    /// Where a walk stands before the first name.
    package var start: [WalkPoint] { [WalkPoint(segment: 0)] }

    /// The point that one more name leads to: the captures when the whole pattern matches it as a
    /// file, and where the walk stands below it when it is a directory.
    ///
    /// Of two ways to the same segment the first decides what is captured, so it alone is gone on
    /// with: there are never more points than segments, however deep somebody nests directories.
    package func step(
        from points: [WalkPoint], into name: [UInt8]
    ) -> (match: [String: String]?, below: [WalkPoint]) {
        step(from: points, into: name, dots: .named)
    }

    func step(
        from points: [WalkPoint], into name: [UInt8], dots: SegmentPattern.Dots
    ) -> (match: [String: String]?, below: [WalkPoint]) {
        var match: [String: String]?
        var below: [WalkPoint] = []
        for point in points {
            var point = point
            if segments[point.segment] == .anyDirectories {
                // `**` takes this name as one more directory, and stands for none as well.
                // Hidden directories are meant only when they are named, as in glob(7).
                if dots == .matched || name.first != UInt8(ascii: ".") { add(point, to: &below) }
                point.segment += 1
            }
            guard case .name(let pattern) = segments[point.segment],
                pattern.matches(name, dots: dots, captured: &point.captured)
            else { continue }
            point.segment += 1
            if point.segment == segments.count {
                match = match ?? point.captured
            } else {
                add(point, to: &below)
            }
        }
        return (match, below)
    }

    private func add(_ point: WalkPoint, to points: inout [WalkPoint]) {
        if !points.contains(where: { $0.segment == point.segment }) { points.append(point) }
    }

    /// The captures when all of `path`, names between slashes, matches; nil when it does not.
    func match(
        _ path: some Collection<UInt8>, dots: SegmentPattern.Dots = .named
    ) -> [String: String]? {
        let names = path.split(separator: UInt8(ascii: "/"))
        var points = start
        for (index, name) in names.enumerated() {
            let step = self.step(from: points, into: Array(name), dots: dots)
            if index == names.count - 1 { return step.match }
            points = step.below
        }
        return nil
    }
}
