/// The seconds that were inserted into UTC, and that seconds since 1970 do not count. None is
/// planned.
enum LeapSeconds {
    /// The first second after each, in seconds since 1970.
    private static let midnights: [27 of Int64] = [
        78_796_800, 94_694_400, 126_230_400, 157_766_400, 189_302_400, 220_924_800, 252_460_800,
        283_996_800, 315_532_800, 362_793_600, 394_329_600, 425_865_600, 489_024_000, 567_993_600,
        631_152_000, 662_688_000, 709_948_800, 741_484_800, 773_020_800, 820_454_400, 867_715_200,
        915_148_800, 1_136_073_600, 1_230_768_000, 1_341_100_800, 1_435_708_800, 1_483_228_800,
    ]

    /// How many there were, the present one included, when `elapsed` seconds had passed since 1970,
    /// leap seconds counted.
    static func count(elapsed: Int64) -> Int64 {
        // Leap second number i, from 0 on, is the second i after the midnight's count.
        var index = midnights.count - 1
        while index >= 0, elapsed < midnights[index] + Int64(index) { index -= 1 }
        return Int64(index + 1)
    }

    /// Whether there was one just before `moment`, seconds since 1970.
    static func precedes(_ moment: Int64) -> Bool {
        for index in midnights.indices where midnights[index] == moment { return true }
        return false
    }
}
