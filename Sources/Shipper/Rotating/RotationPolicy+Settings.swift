import Platform
import Rotator
import Settings

extension Settings.Rotation {
    /// As the rotator knows it.
    var policy: RotationPolicy {
        RotationPolicy(
            size: size, schedule: schedule, age: age?.wholeNanoseconds, keep: keep,
            archives: ArchivePolicy(
                compresses: compress == .gzip, delays: delayCompress,
                mostAge: maxAge?.wholeNanoseconds, mostBytes: maxTotal))
    }
}
