package import Platform

/// What an input asks for of its logs beside reading them.
extension Settings {
    /// `rotation` of an input: the agent removes what is delivered from the front of its logs.
    package struct Rotation: Hashable, Sendable {
        /// Bytes of a log from which on its front is removed.
        package let size: Int?
        /// Times at which that is done, whatever it has.
        package let schedule: CronSchedule?
        /// Time after the last one after which it is done again.
        package let age: Duration?
        /// Archives that are kept beside it.
        package let keep: Int
        /// Those that are older go.
        package let maxAge: Duration?
        /// Bytes of all archives of one log.
        package let maxTotal: Int?
        /// How archives are compressed.
        package let compress: Compress
        /// The newest archive stays plain until the next rotation.
        package let delayCompress: Bool
        /// That no log is there is no fault.
        package let missingOK: Bool
        /// How the front is removed.
        package let method: Method

        /// The ways to compress an archive.
        package enum Compress: String, Hashable, Sendable, CaseIterable {
            case none
            case gzip
        }

        /// The ways to take the front of a file away.
        package enum Method: String, Hashable, Sendable, CaseIterable {
            /// The best that the file system can do; so far that is `collapse`, or nothing.
            case auto
            /// What is left moves to the front, while its writer goes on.
            case collapse
        }
    }

    func describe(_ rotation: Rotation, _ text: inout YAMLText) {
        text.key("rotation")
        text.indented { text in
            if let size = rotation.size { text.pair("size", Quantity.text(bytes: size)) }
            if let schedule = rotation.schedule { text.pair("schedule", schedule.text) }
            if let age = rotation.age { text.pair("age", Quantity.text(age)) }
            text.pair("keep", .int(rotation.keep))
            if let age = rotation.maxAge { text.pair("max_age", Quantity.text(age)) }
            if let total = rotation.maxTotal { text.pair("max_total", Quantity.text(bytes: total)) }
            text.pair("compress", rotation.compress.rawValue)
            if rotation.compress != .none {
                text.pair("delay_compress", .bool(rotation.delayCompress))
            }
            text.pair("missing_ok", .bool(rotation.missingOK))
            text.pair("not_empty", .bool(true))
            text.pair("method", rotation.method.rawValue)
        }
    }
}
