import Foundation
import Testing

@Suite struct DocumentationTests {
    /// Each setting that the executable reads stands in docs/OPERATIONS.md, and none else.
    @Test func everySettingIsDocumented() throws {
        let root = TestEnvironment.root
        let folder = root.appendingPathComponent("Sources/sparq")
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
}
