import Model

extension TailedFile {
    /// Where a file was seen last. A name is a hint: what it leads to, only a look at the inode
    /// tells.
    struct Name: Hashable {
        /// In its stream's directory; nil when it has none there any more.
        private(set) var name: [UInt8]?
        /// The name that it has or had last.
        private(set) var last: [UInt8]
        /// Where it lies, or lay last, as it is told and saved.
        private(set) var path: String
        /// The inode that its name leads to: that of the archive, where a compressor has made one
        /// of what is still open here.
        private(set) var identity: FileIdentity

        init(_ name: [UInt8], path: String, _ identity: FileIdentity, isElsewhere: Bool = false) {
            self.name = isElsewhere ? nil : name
            last = name
            self.path = path
            self.identity = identity
        }

        init(_ candidate: Candidate) {
            let request = candidate.request
            self.init(
                request.name, path: request.path, candidate.identity,
                isElsewhere: request.isElsewhere)
        }

        /// No name in its directory leads to it any more.
        mutating func becomeNameless() { name = nil }

        /// It was found under a name in its directory.
        mutating func change(to name: [UInt8], path: String) {
            self.name = name
            last = name
            self.path = path
        }

        /// It was found in another directory.
        mutating func move(to path: String) { self.path = path }

        /// Its name leads to another inode: to what a compressor has made of it.
        mutating func lead(to identity: FileIdentity) { self.identity = identity }
    }
}
