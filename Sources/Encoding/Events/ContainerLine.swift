/// A line as a container runtime wrote it: when and to which stream, whether its text goes on in
/// the next one, and where the text is.
package struct ContainerLine: Hashable, Sendable {
    /// Never `log`.
    package let channel: Channel
    /// Since 1970; what is finer is cut off.
    package let milliseconds: Int64
    /// Its text goes on in the channel's next line.
    package let isPartial: Bool
    /// The text, in the line.
    package let text: Range<Int>

    package init(channel: Channel, milliseconds: Int64, isPartial: Bool, text: Range<Int>) {
        self.channel = channel
        self.milliseconds = milliseconds
        self.isPartial = isPartial
        self.text = text
    }
}

/// How a container runtime writes lines.
package enum ContainerFormat: String, Hashable, Sendable, CaseIterable {
    /// containerd and CRI-O, as the kubelet wants it.
    case cri
    /// Docker's json-file.
    case docker
}
