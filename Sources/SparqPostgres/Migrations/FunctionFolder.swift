/// The current text of a function, and of its overloads: a file `NAME.sql`.
struct FunctionFile: Hashable {
    /// The function's name.
    let name: String
    /// The file's text.
    let sql: String

    /// The file's name.
    var file: String { "\(name).sql" }
}

/// How new the files of a folder of functions are.
struct FunctionRevision: Hashable {
    /// From 1; every change of a function raises it.
    let number: Int
    /// The SHA-256, in hexadecimal digits, of what `sha256sum` prints of all files, in the order of their names' bytes.
    let digest: String
}

/// The files of a functions folder: `NAME.sql` for each function, and `REVISION`.
///
/// `REVISION` has a line for each revision, the latest one last: its number and its digest. So two branches that both change a function meet in a
/// conflict there, and a file that was changed without a new revision is noticed.
struct FunctionFolder {
    struct Content {
        /// In the order of their names.
        let functions: [FunctionFile]
        let revision: FunctionRevision
    }

    static let revisionFile = "REVISION"

    let directory: String

    func load() throws(PostgresError) -> Content {
        let folder = SQLFolder(directory: directory, content: "functions")
        var functions: [FunctionFile] = []
        for file in try folder.files() {
            let name = String(file.dropLast(4))
            guard !name.isEmpty, name.utf8.count < 64, name.utf8.allSatisfy(Self.isAllowed) else {
                throw MigrationPlan.error(file, "the file of a function is called NAME.sql: letters a to z, digits and underscores")
            }
            functions.append(FunctionFile(name: name, sql: try folder.text(of: file)))
        }
        return Content(functions: functions, revision: try Self.revision(try folder.text(of: Self.revisionFile)))
    }

    /// Reads the text of `REVISION`.
    static func revision(_ text: String) throws(PostgresError) -> FunctionRevision {
        var last: FunctionRevision?
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let number = Int(parts[0]), number == (last?.number ?? 0) + 1, parts[1].utf8.count == 64 else {
                throw MigrationPlan.error(revisionFile, "each line is a number and a digest, and the numbers count 1, 2, 3…")
            }
            last = FunctionRevision(number: number, digest: String(parts[1]))
        }
        guard let last else { throw MigrationPlan.error(revisionFile, "there is no revision in it") }
        return last
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "_")
    }
}
