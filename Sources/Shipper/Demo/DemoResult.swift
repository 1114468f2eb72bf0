import Platform

/// The findings of a demo, as a whole and of each writer.
package struct DemoResult: Sendable {
    /// One writer's part in the findings.
    package struct Writer: Sendable {
        /// Of its pod.
        package let name: String
        /// The audit of its lines alone.
        package let report: Audit.Report
        /// Archives that s6-log made.
        package let rotations: Int
    }

    /// The audit of all writers' lines together.
    package internal(set) var report = Audit.Report()
    /// In the order of the plan.
    package internal(set) var writers: [Writer] = []
    /// From the first line written until the last one was read from the broker.
    package internal(set) var nanoseconds: Int64
    /// Reasons why the audit means nothing, in words.
    package internal(set) var faults: [String] = []

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Archives that the writers' s6-logs made, all together.
    package var rotations: Int { writers.reduce(0) { $0 +| $1.rotations } }

    /// Every line written was read exactly once and in order, and nothing kept it from being known.
    package var isClean: Bool { report.isClean && faults.isEmpty }

    /// The exit code of `shipper demo`.
    package var exitCode: ExitCode { isClean ? .done : .fault }
}
