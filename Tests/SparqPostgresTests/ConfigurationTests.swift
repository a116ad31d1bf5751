import Testing

@testable import SparqPostgres

@Suite struct ConfigurationTests {
    @Test func printingShowsNoPassword() throws {
        let configuration = try PostgresConfiguration(url: "postgresql://ann:hunter2@db.example:5433/chat?sslmode=require")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect("\(configuration)".contains("host=db.example") && "\(configuration)".contains("user=ann"))
    }

    @Test(arguments: ["postgresql://ann:hunter2@[::1", "host", "postgresql://ann:hunter2@h/d?nonsense=1", "a\0b"])
    func malformedAddressesAreRefusedWithoutQuotingThem(_ url: String) throws {
        let error = try #require(throws: PostgresError.self) { _ = try PostgresConfiguration(url: url) }
        #expect(error.code == .invalidConfiguration && !error.debugDescription.contains("hunter2"))
    }

    @Test func backoffDoublesUpToItsMaximum() {
        let backoff = PostgresBackoff(initial: .milliseconds(100), maximum: .seconds(1))
        #expect(backoff.delay(failures: 0, random: 0.5) == .zero)
        #expect(backoff.delay(failures: 1, random: 0) == .milliseconds(50))
        #expect(backoff.delay(failures: 3, random: 0) == .milliseconds(200))
        #expect(backoff.delay(failures: 1000, random: 0) == .milliseconds(500))
        #expect(backoff.delay(failures: 1000, random: 0.999) < .seconds(1))
    }
}
