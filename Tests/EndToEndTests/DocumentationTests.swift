import Foundation
import Testing

@Suite struct DocumentationTests {
    /// Each setting that the executable reads stands in docs/OPERATIONS.md, and none else.
    @Test func everySettingIsDocumented() throws {
        let root = TestEnvironment.root
        let folder = root.appendingPathComponent("Sources/MessengerCommand")
        var read: Set<Substring> = []
        for case let file as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) ?? .init()
        where file.pathExtension == "swift" {
            let source = try String(contentsOf: file, encoding: .utf8)
            read.formUnion(source.matches(of: /"(SPARQ_[A-Z_]+)"/).map(\.1))
        }
        let page = try String(contentsOf: root.appendingPathComponent("docs/OPERATIONS.md"), encoding: .utf8)
        let documented = Set(page.matches(of: /`(SPARQ_[A-Z_]+)`/).map(\.1))
        #expect(!read.isEmpty && read == documented)
    }

    /// Each relative link of a page names a file that is there.
    @Test func everyLinkLeadsSomewhere() throws {
        let manager = FileManager.default
        var links = 0
        for folder in ["", "docs", "docs/internals", "compose"] {
            let folder = TestEnvironment.root.appendingPathComponent(folder)
            for file in try manager.contentsOfDirectory(atPath: folder.path) where file.hasSuffix(".md") {
                let page = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                for match in page.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
                    links += 1
                    let target = folder.appendingPathComponent(String(match.1)).standardized
                    #expect(manager.fileExists(atPath: target.path), "\(file): \(match.1)")
                }
            }
        }
        #expect(links > 0)
    }

    /// The page that follows one message names what is there, in the folder that it says.
    @Test func theWayOfOneMessageIsThatOfTheCode() throws {
        let root = TestEnvironment.root
        let page = try String(contentsOf: root.appendingPathComponent("docs/internals/ONE-MESSAGE.md"), encoding: .utf8)
        var sources: [String] = []
        for case let file as URL in FileManager.default.enumerator(
            at: root.appendingPathComponent("Sources"),
            includingPropertiesForKeys: nil
        )
            ?? .init()
        where file.pathExtension == "swift" { sources.append(try String(contentsOf: file, encoding: .utf8)) }
        let targets = try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("Sources").path)
        for name in Set(page.matches(of: /`([A-Z][A-Za-z]+)`/).map { String($0.1) }).subtracting(targets) {
            let declaration = try Regex("\\b(struct|class|enum|actor|protocol) \(name)\\b")
            #expect(sources.contains { $0.contains(declaration) }, "\(name)")
        }
        for match in page.matches(of: /`([A-Z][A-Za-z]+\/[A-Za-z\/]+)`/) {
            let path = root.appendingPathComponent("Sources/\(match.1)").path
            #expect(FileManager.default.fileExists(atPath: path) || FileManager.default.fileExists(atPath: path + ".swift"), "\(match.1)")
        }
    }

    /// The load balancer of the container stack asks whom the engine asks: an address of a name server in the file is another engine's sooner or later.
    @Test func theLoadBalancerAsksTheEnginesOwnNameServer() throws {
        let file = TestEnvironment.root.appendingPathComponent("compose/haproxy.cfg")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { $0.drop { $0 == " " } }
        let section = lines.drop { $0 != "resolvers engine" }.dropFirst().prefix { !$0.hasPrefix("frontend ") }
        #expect(section.contains("parse-resolv-conf"))
        #expect(!lines.contains { $0.hasPrefix("nameserver") })
        #expect(lines.contains { $0.hasPrefix("default-server") && $0.contains(" resolvers engine ") })
    }

    /// Each setting of a role that docs/OPERATIONS.md names reaches it in the container stack, from `.env` where the stack does not fix it;
    /// no other does, secrets above all.
    @Test func everySettingReachesItsRoleInContainers() throws {
        let root = TestEnvironment.root
        let page = try String(contentsOf: root.appendingPathComponent("docs/OPERATIONS.md"), encoding: .utf8)
        let stack = try String(contentsOf: root.appendingPathComponent("compose/compose.yaml"), encoding: .utf8)
        /// The settings that the tables below a heading name, to the next one.
        func documented(_ heading: String) -> Set<Substring> {
            let section = page.split(separator: "\n### ").first { $0.hasPrefix(heading + "\n") } ?? ""
            let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            return Set(rows.flatMap { $0.dropFirst().prefix { $0 != "|" }.matches(of: /`(SPARQ_[A-Z_]+)`/).map(\.1) })
        }
        /// Names and values in a part of the stack, which begins with a line and ends before the next as far to the left.
        func passed(_ part: String) -> [Substring: Substring] {
            let indent = part.prefix { $0 == " " }
            let lines = stack.split(separator: "\n").drop { !$0.hasPrefix(part) }.dropFirst()
            let own = lines.prefix { $0.hasPrefix(indent + " ") }
            let pairs = own.compactMap { $0.firstMatch(of: /^ +(SPARQ_[A-Z_]+): "(.*?)"/) }.map { ($0.1, $0.2) }
            return Dictionary(pairs) { $1 }
        }
        // What the stack fixes, because containers are what they are; and what one value for all containers would break.
        let fixed: Set<Substring> = [
            "SPARQ_AMQP_URL", "SPARQ_POSTGRES_URL", "SPARQ_HTTP_HOST", "SPARQ_HTTP_PORT", "SPARQ_WEB_ROOT", "SPARQ_FORWARDED_HEADER",
            "SPARQ_MIGRATIONS", "SPARQ_READY_FILE",
        ]
        let each: Set<Substring> = ["SPARQ_NODE_ID", "SPARQ_PORT_FILE"]
        let common = passed("x-sparq-environment:")
        #expect(!common.isEmpty && Set(common.keys) == documented("All processes"))
        for role in ["front", "worker"] {
            let own = passed("  \(role):")
            #expect(!own.isEmpty && Set(own.keys) == documented("`sparq \(role)`").subtracting(each), "of the \(role)")
            for (name, value) in common.merging(own, uniquingKeysWith: { $1 }) where !fixed.contains(name) {
                #expect(value.hasPrefix("${\(name):"), "\(name) of the \(role) is \(value)")
            }
        }
    }
}
