import CLinux

/// Memory that was freed, and that the allocator keeps for what comes next.
package enum FreeMemory {
    /// Blocks from so many bytes on are the kernel's again as soon as they are freed. To be called
    /// before there are any.
    ///
    /// 1. Tables of a hundred thousand files grow, each time into a block of twice the size.
    /// 2. The blocks that they leave lie between others that stay, too small for the next one: on
    ///    such a node they were a tenth of all memory.
    ///
    /// glibc raises its bounds to 32 and 64 MiB by itself, and does not once they are set. Below
    /// them is what comes and goes all the time: slabs of records, and the requests that librdkafka
    /// makes of them, of a megabyte.
    package static func giveBackLargeBlocks() {
        _ = mallopt(M_MMAP_THRESHOLD, largeBlock)
        _ = mallopt(M_TRIM_THRESHOLD, mostAtEnd)
    }

    private static let largeBlock: Int32 = 2 << 20
    /// Free bytes behind the last block in use.
    private static let mostAtEnd: Int32 = 8 << 20

    /// Gives it back to the kernel; any thread. Takes some milliseconds for 100 MB, in which others
    /// may wait for memory.
    package static func giveBack() { _ = malloc_trim(0) }
}
