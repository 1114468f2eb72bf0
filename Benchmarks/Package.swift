// swift-tools-version: 6.2
import PackageDescription

// The harness knows the agent only as a program: it needs the `shipper` binary and librdkafka, and
// nothing of the package beside it. `unsafe` stands in Machine alone.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "shipper-benchmarks",
    products: [.executable(name: "shipper-bench", targets: ["shipper-bench"])],
    targets: [
        .systemLibrary(
            name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .target(name: "CMachine"),
        .target(name: "Machine", dependencies: ["CMachine", "CRdkafka"], swiftSettings: settings),
        .target(name: "Benchmark", dependencies: ["Machine"], swiftSettings: settings),
        .executableTarget(
            name: "shipper-bench", dependencies: ["Benchmark", "Machine"],
            swiftSettings: settings),
        .testTarget(
            name: "BenchmarkTests", dependencies: ["Benchmark", "Machine"],
            swiftSettings: settings),
    ]
)
