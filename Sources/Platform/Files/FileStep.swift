/// One step of a durable change to the files of one directory. Names are relative to it.
package enum FileStep: Hashable, Sendable {
    case create(String)
    case write(String, bytes: Int)
    case synchronise(String)
    case truncate(String, to: Int)
    case rename(String, to: String)
    case link(String, to: String)
    case remove(String)
    case synchroniseDirectory
}

/// Hears of each step before it is taken. What must survive a crash at any step takes all of them
/// through a witness, so that a test can see their order, stop at each one, or let it fail.
package protocol FileStepWitness: Sendable {
    /// Called on the thread that is about to take `step`; an error is taken for the step's own.
    func willTake(_ step: FileStep) throws(SystemError)
}

/// The witness of the running agent: it lets every step happen.
package struct SilentWitness: FileStepWitness {
    package init() {}
    /// Does nothing.
    package func willTake(_ step: FileStep) throws(SystemError) {}
}
