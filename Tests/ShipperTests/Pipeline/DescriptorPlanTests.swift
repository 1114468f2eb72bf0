import Testing

@testable import Shipper

@Suite("How descriptors are shared out")
struct DescriptorPlanTests {
    @Test(
        "files get what was asked for, and never what everything else needs",
        arguments: [
            // limit, wanted: files
            (1_048_576, 4096, 4096), (4_700, 4096, 4096), (4_096, 4096, 3_568),
            (1_024, 4096, 880), (1_024, 100, 100), (256, 4096, 176), (128, 4096, 48),
            (64, 4096, 24), (16, 4096, 6), (2, 4096, 2), (.max, 1 << 20, 1 << 20),
        ])
    func shares(limit: Int, wanted: Int, files: Int) {
        let plan = DescriptorPlan(limit: limit, wanted: wanted)
        #expect(plan.files == files)
        #expect(plan.files + plan.reserved <= max(limit, 1))
    }
}
