extension Duration {
    /// Whole nanoseconds; more than 31 years either way are taken for 31 years.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let most: Int64 = 1_000_000_000
        return max(-most, min(seconds, most)) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
