/// A descriptor that several have, as a file and whoever is reading from it, or those who append to
/// a journal and who syncs it. Sendable; used as a `Descriptor` is.
package final class SharedDescriptor: Sendable {
    /// Closed when the last of them lets go.
    package let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
