import SparqPostgres
import Testing

@Suite struct ValueTests {
    private func roundTrip<Value: PostgresScalar & Equatable>(_ values: [Value], pool: PostgresPool) async throws {
        for value in values {
            let row = try #require(try await pool.query("SELECT $1, pg_typeof($1)::text", value).first)
            #expect(try row.decode(Value.self, String.self).0 == value)
        }
        let row = try #require(try await pool.query("SELECT $1, $2, $3", values, values.map(Optional.some) + [nil], [Value]()).first)
        let (array, optionals, empty) = try row.decode([Value].self, [Value?].self, [Value].self)
        #expect(array == values)
        #expect(optionals == values.map(Optional.some) + [nil])
        #expect(empty.isEmpty)
        let none = try #require(try await pool.query("SELECT $1", Value?.none).first)
        let nothing = try none.decode(Value?.self)
        #expect(nothing.map { _ in true } == nil)
    }

    @Test func scalarsAndArraysComeBackAsTheyWere() async throws {
        try await Database.withPool { pool in
            try await roundTrip([Int.min, -1, 0, 1, .max], pool: pool)
            try await roundTrip([Int32.min, 0, .max], pool: pool)
            try await roundTrip([Int16.min, 0, .max], pool: pool)
            try await roundTrip([true, false], pool: pool)
            try await roundTrip([0.0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1], pool: pool)
            try await roundTrip(["", "a", "NULL", "\"{},\\'", "日本語 👩‍👩‍👧‍👦 é", String(repeating: "x", count: 1_000_000)], pool: pool)
            try await roundTrip([[UInt8](), [0], [0, 255, 92, 39], [UInt8](repeating: 7, count: 100_000)], pool: pool)
            let times = [0, 1, -1, 946_684_800_000_000, -210_866_803_200_000_000, Int(Int64.max) - 1]
            try await roundTrip(
                times.map { PostgresTimestamp(microseconds: Int64($0)) } + [.infinity, .negativeInfinity],
                pool: pool
            )
        }
    }

    @Test func timestampsMeanWhatTheServerMeans() async throws {
        try await Database.withPool { pool in
            let row = try #require(
                try await pool.query(
                    "SELECT '2026-01-31T12:00:00.000001Z'::timestamptz, extract(epoch FROM $1)::int8",
                    PostgresTimestamp(microseconds: 86_400_000_000)
                ).first
            )
            let (time, seconds) = try row.decode(PostgresTimestamp.self, Int.self)
            #expect(time.microseconds == 1_769_860_800_000_001)
            #expect(seconds == 86_400)
        }
    }

    @Test func notANumberStaysOne() async throws {
        try await Database.withPool { pool in
            let row = try #require(try await pool.query("SELECT $1", Double.nan).first)
            #expect(try row.decode(Double.self).isNaN)
        }
    }

    @Test func otherColumnTypesAreReadWhereTheyFit() async throws {
        try await Database.withPool { pool in
            let row = try #require(
                try await pool.query(
                    """
                    SELECT 7::int2, 8::int4, 1.5::float4, '{"a":1}'::jsonb, '[1]'::json, 'n'::name, \
                    '00112233-4455-6677-8899-aabbccddeeff'::uuid, 'v'::varchar(3)
                    """
                ).first
            )
            let (int, small, float, jsonb, json, name, uuid, varchar) = try row.decode(
                Int.self,
                Int16.self,
                Double.self,
                String.self,
                [UInt8].self,
                String.self,
                String.self,
                String.self
            )
            #expect(int == 7 && small == 8 && float == 1.5 && jsonb == #"{"a": 1}"# && json == Array("[1]".utf8))
            #expect(name == "n" && uuid == "00112233-4455-6677-8899-aabbccddeeff" && varchar == "v")
        }
    }

    @Test func whatDoesNotFitIsRefusedWithTheColumnsName() async throws {
        try await Database.withPool { pool in
            func failure<Value: PostgresDecodable>(_ sql: String, _: Value.Type) async throws -> PostgresError? {
                let row = try #require(try await pool.query(sql).first)
                do throws(PostgresError) {
                    _ = try row.decode(Value.self)
                    return nil
                } catch { return error }
            }
            let tooLarge = try await failure("SELECT 40000::int8 AS big", Int16.self)
            #expect(tooLarge?.code == .decoding && tooLarge?.column == "big")
            #expect(try await failure("SELECT 'a'::text AS word", Int.self)?.column == "word")
            #expect(try await failure("SELECT NULL::int8", Int.self)?.code == .decoding)
            #expect(try await failure("SELECT '294276-12-31Z'::timestamptz", PostgresTimestamp.self)?.code == .decoding)
            #expect(try await failure("SELECT 1.5::numeric", Double.self)?.code == .decoding)
            #expect(try await failure("SELECT ARRAY[[1,2],[3,4]]", [Int].self)?.code == .decoding)
            #expect(try await failure("SELECT ARRAY[1,NULL]", [Int].self)?.code == .decoding)
            let row = try #require(try await pool.query("SELECT 1, 2").first)
            #expect(throws: PostgresError.self) { _ = try row.decode(Int.self) }
            #expect(throws: PostgresError.self) { _ = try row.decode(Int.self, Int.self, Int.self) }
            #expect(throws: PostgresError.self) { _ = try row.decode(column: "nothing", as: Int.self) }
        }
    }

    @Test func zeroCharactersAreRefusedBeforeTheyAreSent() async throws {
        try await Database.withPool { pool in
            for attempt in [Statement("SELECT $1", "a\0b"), Statement("SELECT $1", ["a", "\0"]), Statement("SELECT 1\0")] {
                let error = await #expect(throws: PostgresError.self) { _ = try await pool.run(attempt) }
                #expect(error?.code == .encoding)
            }
            let outcomes = try await pool.pipeline([Statement("SELECT 1"), Statement("SELECT $1", "\0"), Statement("SELECT 3")])
            #expect(try outcomes[0].get().first?.decode(Int.self) == 1)
            #expect(throws: PostgresError.self) { _ = try outcomes[1].get() }
            #expect(try outcomes[2].get().first?.decode(Int.self) == 3)
        }
    }

    @Test(arguments: ["'; DROP TABLE x; --", "$1", "\\'; SELECT 1", "') OR ('1'='1", "\u{FEFF}'\"`"])
    func parametersStayData(_ attack: String) async throws {
        try await Database.withPool { pool in
            let row = try #require(try await pool.query("SELECT $1, length($1)::int8, $2", attack, [attack]).first)
            let (same, length, array) = try row.decode(String.self, Int.self, [String].self)
            #expect(same == attack && length == attack.unicodeScalars.count && array == [attack])
        }
    }
}
