import Settings
import TestSupport
import Testing

/// Every message is spelled out in `Tests/Fixtures/settings/errors`: an operator has nothing else
/// to act on.
@Suite struct SettingsErrorTests {
    @Test(arguments: try GoldenCase.all())
    func aBadConfigurationIsRefusedWithPlaceKeyAndWhatWasExpected(_ bad: GoldenCase) {
        let environment = ["EMPTY": "", "TEXT": "text", "INJECT": "1]\nx: [y"]
        #expect(faults(bad.text, environment: environment) == bad.expected)
    }
}
