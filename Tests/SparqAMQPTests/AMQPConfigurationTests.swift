import Testing

@testable import SparqAMQP

@Suite struct AMQPConfigurationTests {
    @Test func everyPartIsReadAndDecoded() throws {
        let configuration = try AMQPConfiguration(
            url: "amqp://us%40er:p%3Aa%2Fss@broker.example:5673/my%2Fhost?heartbeat=7&connection_timeout=1500"
        )
        #expect(configuration.user == "us@er")
        #expect(configuration.password == "p:a/ss")
        #expect(configuration.hosts == [AMQPHost("broker.example", port: 5673)])
        #expect(configuration.virtualHost == "my/host")
        #expect(configuration.heartbeat == .seconds(7))
        #expect(configuration.connectTimeout == .milliseconds(1500))
        #expect(configuration.tls == nil)
    }

    @Test(arguments: ["amqp://localhost", "amqp://localhost/", "AMQP://guest:guest@localhost:5672"])
    func whatIsLeftOutHasDefaults(url: String) throws {
        let configuration = try AMQPConfiguration(url: url)
        #expect(configuration == AMQPConfiguration(host: "localhost"))
    }

    @Test func amqpsHasTLS() throws {
        let configuration = try AMQPConfiguration(url: "amqps://[::1]/?cacertfile=/ca.pem&certfile=/c.pem&keyfile=%2Fk.pem")
        #expect(configuration.hosts == [AMQPHost("::1", port: 5671)])
        #expect(configuration.tls == TLSSettings(caFile: "/ca.pem", certificateFile: "/c.pem", keyFile: "/k.pem"))
        #expect(try AMQPConfiguration(url: "amqps://h?verify=verify_none").tls == TLSSettings(verifyPeer: false, verifyHostname: false))
    }

    @Test func aClusterHasSeveralHosts() throws {
        let configuration = try AMQPConfiguration(url: "amqp://user:p,w@a:5673,b,[::1]:5674,%63/vhost?heartbeat=7")
        #expect(configuration.hosts == [AMQPHost("a", port: 5673), AMQPHost("b"), AMQPHost("::1", port: 5674), AMQPHost("c")])
        #expect(configuration.password == "p,w" && configuration.virtualHost == "vhost" && configuration.heartbeat == .seconds(7))
        #expect(try AMQPConfiguration(url: "amqps://a,b:1").hosts == [AMQPHost("a", port: 5671), AMQPHost("b", port: 1)])
        #expect("\(configuration)" == "amqp://user@a:5673,b:5672,[::1]:5674,c:5672 vhost vhost")
    }

    @Test(arguments: [
        "amqp://a,", "amqp://,a", "amqp://a,,b", "amqp://a:1,b:x", "amqp://a,[::1", "amqp://u:p@", "amqp://u:p@,/v", "amqp://a b,%zz",
        "", "localhost", "http://localhost", "amqp://", "amqp://user@", "amqp://host:0", "amqp://host:70000", "amqp://host:x",
        "amqp://host/a/b", "amqp://host/%zz", "amqp://host/%f", "amqp://host/%00", "amqp://host/%ff", "amqp://host?heartbeat=fast",
        "amqp://host?heartbeat=-1", "amqp://host?heartbeat", "amqp://host?colour=red", "amqp://host?cacertfile=/ca.pem", "amqp://[::1",
        "amqp://[::1]x", "amqps://host?verify=maybe", "amqp://host?connection_timeout=0", "amqp://ho#st",
    ])
    func anythingElseIsRefused(url: String) {
        let error = #expect(throws: AMQPError.self) { try AMQPConfiguration(url: url) }
        #expect(error?.code == .invalidURL)
    }

    @Test func thePasswordIsNeverShown() throws {
        let configuration = try AMQPConfiguration(url: "amqp://user:s3cr3t-pw@host")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] { #expect(!text.contains("s3cr3t")) }
        let error = #expect(throws: AMQPError.self) { try AMQPConfiguration(url: "amqp://user:s3cr3t-pw@host:port") }
        #expect(error.map { !"\($0)".contains("s3cr3t") } == true)
    }
}
