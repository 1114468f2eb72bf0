import Platform

/// What a demo found.
package struct DemoResult: Sendable {
    package struct Writer: Sendable {
        /// Of its pod.
        package let name: String
        package let report: Audit.Report
        /// Archives that s6-log made.
        package let rotations: Int
    }

    package internal(set) var report = Audit.Report()
    package internal(set) var writers: [Writer] = []
    /// From the first line written until the last one was read from the broker.
    package internal(set) var nanoseconds: Int64
    /// What keeps the audit from meaning anything, in words.
    package internal(set) var faults: [String] = []

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package var rotations: Int { writers.reduce(0) { $0 +| $1.rotations } }

    /// Every line written was read exactly once and in order, and nothing kept it from being known.
    package var isClean: Bool { report.isClean && faults.isEmpty }

    /// What `shipper demo` ends with.
    package var exitCode: ExitCode { isClean ? .done : .fault }
}
