import Model
import Testing

@testable import Tailer

@Suite("How many rotated files stay open while they are gone through")
struct RotatedFileSurveyTests {
    @Test("of those that hold nothing that is looked for, as many as may, the first ones")
    func strangers() {
        var survey = RotatedFileSurvey(for: nil, mostOpen: 3)
        let kept = (0..<6).map { _ in survey.keeps(nil) }
        #expect(kept == [true, true, true, false, false, false])
    }

    @Test("of one content four, however many others there are")
    func alike() {
        var survey = RotatedFileSurvey(for: nil, mostOpen: 0)
        let (one, two) = (FileID(number: 1), FileID(number: 2))
        for _ in 0..<4 {
            let (a, b, stranger) = (survey.keeps(one), survey.keeps(two), survey.keeps(nil))
            #expect(a && b && !stranger)
        }
        let (a, b) = (survey.keeps(one), survey.keeps(two))
        #expect(!a && !b)
    }

    @Test("ahead of a look none of the strangers does")
    func ahead() {
        var survey = RotatedFileSurvey(aheadOf: SoughtFiles(saved: [], files: []))
        let kept = survey.keeps(nil)
        #expect(!kept && survey.isAhead)
    }
}
