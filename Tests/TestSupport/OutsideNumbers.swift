/// Numbers that a stranger writes where a count is expected, as texts, for some are no Int. All of them can stand
/// in JSON.
package enum OutsideNumbers {
    package static let texts = [
        "0", "-1", "2147483648", "4294967296", "576460752303423488", "1152921504606846976",
        "1152921504606846977", "4611686018427387904", "9223372036854775806", "9223372036854775807",
        "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775808", "-9223372036854775809", "1e400", "0.5",
        "1" + String(repeating: "0", count: 4000),
    ]
}
