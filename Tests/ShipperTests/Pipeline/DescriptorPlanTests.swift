import Testing

@testable import Shipper

@Suite("How descriptors are shared out")
struct DescriptorPlanTests {
    @Test(
        "files get what was asked for, and never what everything else needs",
        arguments: [
            // limit, wanted: files with HTTP, connections, files without
            (1_048_576, 4096, 4096, 64, 4096), (4_700, 4096, 4096, 64, 4096),
            (4_096, 4096, 3_514, 64, 3_584), (1_024, 4096, 826, 64, 896),
            (1_024, 100, 100, 64, 100), (256, 4096, 170, 16, 192), (128, 4096, 50, 8, 64),
            (64, 4096, 24, 4, 24), (16, 4096, 6, 4, 6), (2, 4096, 2, 4, 2),
            (.max, 1 << 20, 1 << 20, 64, 1 << 20),
        ])
    func shares(limit: Int, wanted: Int, files: Int, connections: Int, without: Int) {
        let plan = DescriptorPlan(limit: limit, wanted: wanted, servesHTTP: true)
        #expect(plan.files == files)
        #expect(plan.connections == connections)
        #expect(plan.files + plan.reserved <= max(limit, 1))
        let silent = DescriptorPlan(limit: limit, wanted: wanted, servesHTTP: false)
        #expect(silent.files == without && silent.connections == 0)
        #expect(silent.files + silent.reserved <= max(limit, 1))
    }
}
