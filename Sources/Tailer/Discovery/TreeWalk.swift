import Platform

/// One walk over all that patterns lead into, for commands that look and end.
enum TreeWalk {
    /// Runs `body` on the directories. Each remote file system of `mounts` is walked on a thread of
    /// its own: one that does not answer is named to `silent` and left out.
    static func all<R: Sendable>(
        _ inputs: [TailerInput], mounts: MountTable?, report: (TailerEvent) -> Void,
        silent: (String) -> Void, _ body: @escaping @Sendable (DirectoryTree.Scanned) -> [R]
    ) -> [R] {
        let map = mounts == nil ? .undivided(inputs) : Territories(inputs)
        if let mounts { _ = map.update(mounts) }
        let here = walk(inputs, Territory(map, reader: 0), {}, body)
        here.events.forEach(report)
        var found = here.found
        for reader in map.readers {
            let walked: Walked<R>?
            do throws(SystemError) {
                walked = try PatientCall.run { goesOn in
                    walk(inputs, Territory(map, reader: reader), goesOn, body)
                }
            } catch {
                // Without a thread there is no telling whether it answers.
                walked = nil
            }
            guard let walked else {
                map.points(of: reader).forEach(silent)
                continue
            }
            walked.events.forEach(report)
            found += walked.found
        }
        return found
    }

    private struct Walked<R: Sendable>: Sendable {
        var found: [R] = []
        var events: [TailerEvent] = []
    }

    private static func walk<R: Sendable>(
        _ inputs: [TailerInput], _ territory: Territory, _ goesOn: @escaping () -> Void,
        _ body: @escaping (DirectoryTree.Scanned) -> [R]
    ) -> Walked<R> {
        var walked = Walked<R>()
        let tree = DirectoryTree(
            inputs: inputs, intervals: TailerIntervals(),
            watches: .none(report: { walked.events.append($0) }), territory: territory,
            report: { walked.events.append($0) })
        tree.walk { look in
            goesOn()
            walked.found += body(look)
        }
        return walked
    }
}
