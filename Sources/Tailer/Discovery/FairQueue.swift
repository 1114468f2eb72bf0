/// A queue of elements that wait in the directories of a tree, taken in turns: at each level every
/// directory that has something beneath it is served once before any is served twice. So a pod with
/// a hundred thousand files, or with a thousand directories, delays the next one by one element and
/// not by all.
///
/// First in, first out in one directory. An element is to be in it once at the most, which bounds
/// it by the tree. Lives on the reader thread.
struct FairQueue<Element: FairElement> {
    /// One directory that has something waiting, itself or beneath it.
    final class Level {
        fileprivate var own = RingQueue<Element>()
        /// Levels beneath that have something, each once.
        fileprivate var below = RingQueue<Level>()
        fileprivate var isOwnNext = true
        fileprivate weak var place: DirectoryNode?

        fileprivate init(_ place: DirectoryNode?) { self.place = place }

        fileprivate var isEmpty: Bool { own.isEmpty && below.isEmpty }
        /// Elements and levels that it has room for.
        fileprivate var capacity: Int { own.capacity + below.capacity }

        /// It has nothing, and stands for another directory from now on.
        fileprivate func begin(_ place: DirectoryNode?) {
            self.place = place
            isOwnNext = true
        }
    }

    /// Above all prefixes. Its own are elements of no directory.
    private let top = Level(nil)
    private(set) var count = 0
    /// Levels that have nothing, to be used again: at a low rate each line makes one at each depth
    /// and empties it. Few, so that what a rush took is given back.
    private var spares: [Level] = []
    /// Spare levels, and what one of them may have room for.
    static var mostSpares: Int { 256 }
    private static var mostCapacity: Int { 64 }
    /// From below the top to the level that an element is taken from; empty between two calls, and
    /// kept for its memory.
    private var path: [Level] = []
    /// How many there are.
    var spareCount: Int { spares.count }
    /// Tells it from other queues of such elements over the same directories.
    private let number: Int

    init(number: Int = 0) { self.number = number }

    var isEmpty: Bool { count == 0 }

    /// `node`: the element's directory, nil where that is gone.
    mutating func append(_ element: Element, of node: DirectoryNode?) {
        count += 1
        guard var place = node?.share else {
            top.own.append(element)
            return
        }
        if let level = Element.level(of: place, in: number) {
            level.own.append(element)
            return
        }
        var level = begin(place)
        level.own.append(element)
        Element.setLevel(level, of: place, in: number)
        while let parent = place.parent {
            if let above = Element.level(of: parent, in: number) {
                above.below.append(level)
                return
            }
            let above = begin(parent)
            above.below.append(level)
            Element.setLevel(above, of: parent, in: number)
            level = above
            place = parent
        }
        top.below.append(level)
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        var level = top
        while level.own.isEmpty || !(level.isOwnNext || level.below.isEmpty) {
            level.isOwnNext = true
            guard let next = level.below.popFirst() else {
                path = []
                return nil
            }
            path.append(level)
            level = next
        }
        level.isOwnNext = false
        let element = level.own.popFirst()
        count -= 1
        while let above = path.popLast() {
            if !level.isEmpty {
                above.below.append(level)
            } else {
                end(level)
            }
            level = above
        }
        return element
    }

    private mutating func begin(_ place: DirectoryNode) -> Level {
        guard let level = spares.popLast() else { return Level(place) }
        level.begin(place)
        return level
    }

    /// Nothing waits in a directory any more, nor beneath it.
    private mutating func end(_ level: Level) {
        if let place = level.place { Element.setLevel(nil, of: place, in: number) }
        guard spares.count < Self.mostSpares, level.capacity <= Self.mostCapacity else { return }
        level.begin(nil)
        spares.append(level)
    }
}

/// Something of which a directory may have many waiting.
protocol FairElement: AnyObject {
    /// The directory's level in the queue of this number, while it has something waiting there.
    static func level(of node: DirectoryNode, in number: Int) -> FairQueue<Self>.Level?
    static func setLevel(_ level: FairQueue<Self>.Level?, of node: DirectoryNode, in number: Int)
}

extension DirectoryNode: FairElement {
    static func level(of node: DirectoryNode, in number: Int) -> FairQueue<DirectoryNode>.Level? {
        number == 0 ? node.scans : node.largeScans
    }

    static func setLevel(
        _ level: FairQueue<DirectoryNode>.Level?, of node: DirectoryNode, in number: Int
    ) {
        if number == 0 { node.scans = level } else { node.largeScans = level }
    }
}

extension LogStream: FairElement {
    static func level(of node: DirectoryNode, in number: Int) -> FairQueue<LogStream>.Level? {
        number == 0 ? node.turns : node.waits
    }

    static func setLevel(
        _ level: FairQueue<LogStream>.Level?, of node: DirectoryNode, in number: Int
    ) {
        if number == 0 { node.turns = level } else { node.waits = level }
    }
}
