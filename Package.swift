// swift-tools-version: 6.2
import PackageDescription

/// The one place for compiler settings: every target of ours is built with these.
var strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
if Context.environment["CI"] != nil {
    strict.append(.treatAllWarnings(as: .error))
}

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let jwt = product(name: "JWTKit", package: "jwt-kit")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let lifecycleTestKit = product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let systemPackage = product(name: "SystemPackage", package: "swift-system")
    static let log = product(name: "Logging", package: "swift-log")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioWebSocket = product(name: "NIOWebSocket", package: "swift-nio")
    static let nioConcurrencyHelpers = product(name: "NIOConcurrencyHelpers", package: "swift-nio")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
}

let package = Package(
    name: "sparq",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "sparq", targets: ["MessengerCommand"]),
        .library(name: "Sparq", targets: ["Sparq"]),
        .library(name: "SparqTesting", targets: ["SparqTesting"]),
        .library(name: "SparqClient", targets: ["SparqClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        // C libraries, with the shims that Swift needs.
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CEpoll"),
        // Only for what measures itself: it takes malloc's place.
        .target(name: "CAllocationCount"),

        // The base: none of these knows Sparq.
        .target(name: "FaultLog", dependencies: [.log], swiftSettings: strict),
        .target(name: "SparqAMQP", dependencies: ["CRabbitMQ", "FaultLog", .lifecycle, .log, .deque], swiftSettings: strict),
        .target(name: "SparqPostgres", dependencies: ["CPostgreSQL", "FaultLog", .lifecycle, .log, .deque], swiftSettings: strict),
        .target(name: "SparqWebSocket", dependencies: [.nioCore, .crypto], swiftSettings: strict),

        // The words that the roles share.
        .target(name: "SparqWire", dependencies: [], swiftSettings: strict),

        // The front's decisions: pure values, without NIO, clock or log.
        .target(name: "SparqFrontCore", dependencies: ["SparqWire", .deque], swiftSettings: strict),
        // All SQL of Sparq's own.
        .target(name: "SparqStore", dependencies: ["SparqPostgres", "SparqWire"], swiftSettings: strict),

        // The roles.
        .target(
            name: "SparqFront",
            dependencies: [
                "SparqFrontCore", "SparqAMQP", "FaultLog", "SparqWire", "SparqWebSocket", .hummingbird, .hummingbirdCore, .jwt, .lifecycle,
                .log,
                .nioCore, .nioPosix, .nioHTTP1, .nioHTTPTypesHTTP1, .nioConcurrencyHelpers, .httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SparqWorker",
            dependencies: ["SparqAMQP", "FaultLog", "SparqPostgres", "SparqStore", "SparqWire", .lifecycle, .log, .deque],
            swiftSettings: strict
        ),
        // What an application imports.
        .target(name: "Sparq", dependencies: ["SparqPostgres", "SparqWire", "SparqWorker"], swiftSettings: strict),
        .target(name: "SparqTesting", dependencies: ["Sparq"], swiftSettings: strict),
        .target(
            name: "SparqClient",
            dependencies: ["SparqWire", "SparqWebSocket", .log, .nioCore, .nioPosix, .nioSSL],
            swiftSettings: strict
        ),

        // Measures a stack from outside, and the machine beside it.
        .target(
            name: "SparqBench",
            dependencies: ["SparqAMQP", "CEpoll", "CRabbitMQ", .deque, .histogram],
            swiftSettings: strict
        ),

        // The application, and the executable.
        .target(
            name: "Messenger",
            dependencies: ["Sparq", .crypto, .cryptoExtras, .nioPosix],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "MessengerCommand",
            dependencies: [
                "SparqAMQP", "FaultLog", "SparqPostgres", "SparqWire", "SparqFront", "SparqWorker", "SparqBench", "Messenger",
                .argumentParser, .configuration, .hummingbird, .lifecycle, .unixSignals, .systemPackage, .log,
            ],
            swiftSettings: strict
        ),
        // HTTP for tests and tools.
        .target(name: "PlainHTTP", dependencies: [.nioCore, .nioPosix, .nioHTTP1], swiftSettings: strict),
        // Kills, pauses and cuts off the whole under load, and counts what was lost, repeated or reordered.
        .executableTarget(
            name: "sparq-chaos",
            dependencies: ["PlainHTTP", "SparqClient", "SparqWire", "SparqPostgres", .argumentParser, .log, .nioCore, .nioPosix],
            path: "Sources/SparqChaos",
            swiftSettings: strict
        ),

        // Single steps of a message's way, timed and with their allocations counted.
        .executableTarget(
            name: "sparq-micro",
            dependencies: ["CAllocationCount", "SparqFront", "SparqFrontCore", "SparqWire", "SparqWebSocket", .argumentParser, .nioCore],
            path: "Sources/SparqMicro",
            swiftSettings: strict
        ),

        // Unit tests need no server; the ones that do say so by their name: …IntegrationTests.
        .testTarget(name: "FaultLogTests", dependencies: ["FaultLog", .log], swiftSettings: strict),
        .testTarget(name: "SparqAMQPTests", dependencies: ["SparqAMQP", "FaultLog", .log], swiftSettings: strict),
        .testTarget(name: "SparqAMQPIntegrationTests", dependencies: ["SparqAMQP", .lifecycle, .log], swiftSettings: strict),
        .testTarget(name: "SparqPostgresTests", dependencies: ["SparqPostgres", .log], swiftSettings: strict),
        .testTarget(name: "SparqPostgresIntegrationTests", dependencies: ["SparqPostgres", .lifecycle, .log], swiftSettings: strict),
        .testTarget(
            name: "SparqWebSocketTests",
            dependencies: ["SparqWebSocket", .nioCore, .nioEmbedded, .nioWebSocket],
            swiftSettings: strict
        ),
        .testTarget(name: "SparqWireTests", dependencies: ["SparqWire"], swiftSettings: strict),
        .testTarget(
            name: "SparqFrontTests",
            dependencies: [
                "SparqAMQP", "SparqFront", "SparqFrontCore", "SparqWire", "SparqWebSocket", .hummingbird, .nioCore, .nioPosix, .nioHTTP1,
                .nioConcurrencyHelpers, .log, .lifecycle,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SparqWorkerTests",
            dependencies: ["SparqAMQP", "SparqPostgres", "SparqWorker", "SparqTesting", "SparqWire", .log],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SparqWorkerIntegrationTests",
            // The front's node, without its sockets, asks the workers as fronts do.
            dependencies: ["SparqFront", "SparqFrontCore", "SparqWorker", "SparqWire", "SparqAMQP", "SparqPostgres", .log, .lifecycle],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MessengerTests",
            dependencies: ["Messenger", "Sparq", "SparqTesting", .log],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SparqClientTests",
            dependencies: ["SparqClient", "SparqWire", "SparqWebSocket", .nioCore, .nioPosix, .log],
            swiftSettings: strict
        ),
        .testTarget(name: "SparqBenchTests", dependencies: ["SparqBench"], swiftSettings: strict),
        // Runs `sparq-micro` and does not link it: what takes malloc's place stays out of the tests.
        .testTarget(name: "SparqMicroTests", swiftSettings: strict),
        .testTarget(name: "SparqChaosTests", dependencies: ["sparq-chaos", .argumentParser, .nioCore, .nioPosix], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "PlainHTTP", "SparqClient", "SparqWire", "SparqAMQP", "SparqWebSocket", .nioCore, .nioPosix, .nioSSL, .log,
            ],
            swiftSettings: strict
        ),
    ]
)
