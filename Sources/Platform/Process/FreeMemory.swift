import CLinux

/// Memory that was freed, and that the allocator keeps for what comes next.
package enum FreeMemory {
    /// Gives it back to the kernel; any thread. Takes some milliseconds for 100 MB, in which others
    /// may wait for memory.
    package static func giveBack() { _ = malloc_trim(0) }
}
