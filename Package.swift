// swift-tools-version: 6.2
import PackageDescription

// One-way imports: Command -> Shipper -> {Tailer, Encoding, Rotator, Kafka, Registry} -> Model, all of them
// also -> Platform, Shipper -> {Settings, HTTPServer}, Settings -> YAML, {Settings, Tailer} ->
// Patterns -> Model, {Settings, Encoding, Shipper} -> Expressions. Stages never import each other.
// `make lint` proves it with files that must not compile.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

let package = Package(
    name: "shipper",
    products: [
        .executable(name: "shipper", targets: ["Command"]),
        // For tests: what LD_PRELOAD puts before libc.
        .library(name: "failcalls", type: .dynamic, targets: ["failcalls"]),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        // Debian's libbz2-dev has no file for pkg-config; its header and library are where all look.
        .systemLibrary(name: "CBZip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(
            name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(
            name: "CMicrohttpd", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]),
        library("Platform", ["CLinux", "CZlib", "CZstd", "CLZMA", "CBZip2", "CCrypto"]),
        library("Model", []),
        library("YAML", ["CYaml"]),
        library("Expressions", ["Platform", "CPCRE2"]),
        library("Settings", ["Platform", "Patterns", "YAML", "Expressions"]),
        library("HTTPServer", ["Platform", "CMicrohttpd"]),
        library("Patterns", ["Model"]),
        library("Tailer", ["Model", "Platform", "Patterns"]),
        library("Encoding", ["Model", "Platform", "Expressions"]),
        library("Kafka", ["Model", "Platform", "CRdkafka"]),
        library("Registry", ["Model", "Platform"]),
        library("Rotator", ["Model", "Platform"]),
        library(
            "Shipper",
            [
                "Model", "Platform", "Patterns", "Settings", "HTTPServer", "Tailer", "Encoding",
                "Rotator", "Kafka", "Registry", "Expressions",
            ]),
        .executableTarget(
            name: "Command", dependencies: ["Shipper", "Settings", "Platform"],
            swiftSettings: settings),
        .target(
            name: "CTestSupport", dependencies: ["CRdkafka"], path: "Tests/CTestSupport"),
        .target(
            name: "TestSupport",
            dependencies: ["Shipper", "Settings", "Model", "Platform", "CTestSupport"],
            path: "Tests/TestSupport", swiftSettings: settings),
        .executableTarget(
            name: "mock-broker", dependencies: ["CRdkafka"], path: "Tests/MockBroker"),
        .executableTarget(name: "refuse-calls", path: "Tests/RefuseCalls"),
        .target(name: "failcalls", path: "Tests/FailCalls"),
        .executableTarget(
            name: "registry-bench", dependencies: ["Registry", "Model", "Platform"],
            path: "Benchmarks/Registry", swiftSettings: settings),
        tests("TestSupportTests", ["Shipper", "Platform"]),
        .target(name: "CAllocationCounter", path: "Tests/AllocationCounter"),
        tests("ModelTests", ["Model"]),
        tests("PlatformTests", ["Platform"]),
        tests("YAMLTests", ["YAML"]),
        tests("ExpressionsTests", ["Expressions", "CAllocationCounter"]),
        tests("SettingsTests", ["Settings", "Patterns", "Platform", "YAML", "Expressions"]),
        tests("HTTPServerTests", ["HTTPServer", "Platform"]),
        tests("PatternsTests", ["Patterns", "Model"]),
        tests("TailerTests", ["Tailer", "Patterns", "Model", "Platform"]),
        tests(
            "EncodingTests",
            [
                "Encoding", "Tailer", "Expressions", "Model", "Platform", "CAllocationCounter",
            ]),
        tests("KafkaTests", ["Kafka", "Model", "Platform"]),
        tests("RegistryTests", ["Registry", "Model", "Platform"]),
        tests("RotatorTests", ["Rotator", "Model", "Platform"]),
        tests(
            "ShipperTests",
            [
                "Shipper", "Settings", "HTTPServer", "Tailer", "Encoding", "Rotator", "Kafka",
                "Registry", "Patterns", "Model", "Platform", "CAllocationCounter",
            ]),
        tests(
            "IntegrationTests",
            ["Shipper", "Settings", "Command", "Kafka", "Tailer", "Registry", "Model", "Platform"]),
    ]
)
