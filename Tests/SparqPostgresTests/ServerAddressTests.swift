import Testing

@testable import SparqPostgres

/// libpq's lists of hosts, taken apart.
@Suite struct ServerAddressTests {
    private func list(_ host: String?, _ hostaddr: String? = nil, _ port: String? = nil) -> [ServerAddress] {
        ServerAddress.list(host: host, hostaddr: hostaddr, port: port) { name in
            ["one": ["10.0.0.1"], "two": ["10.0.0.2", "fd00::2"]][name] ?? []
        }
    }

    @Test func eachHostAndEachAddressOfANameIsAPlaceOfItsOwn() {
        #expect(
            list("one,two,/run/pg,unknown", nil, "1,2,3,4") == [
                ServerAddress(host: "one", hostaddr: "10.0.0.1", port: "1"), ServerAddress(host: "two", hostaddr: "10.0.0.2", port: "2"),
                ServerAddress(host: "two", hostaddr: "fd00::2", port: "2"), ServerAddress(host: "/run/pg", port: "3"),
                ServerAddress(host: "unknown", port: "4"),
            ]
        )
    }

    @Test func onePortIsForAllAndNumbersNeedNoLookUp() {
        #expect(
            list("one,x", "10.0.0.8,10.0.0.9", "7") == [
                ServerAddress(host: "one", hostaddr: "10.0.0.8", port: "7"), ServerAddress(host: "x", hostaddr: "10.0.0.9", port: "7"),
            ]
        )
        #expect(list(nil, "10.0.0.8,") == [ServerAddress(hostaddr: "10.0.0.8"), ServerAddress()])
    }

    @Test func nothingGivenIsLibpqsDefault() { #expect(list(nil) == [ServerAddress()]) }

    @Test func listsThatDoNotFitAreLeftToLibpq() {
        #expect(list("one,two", nil, "1,2,3") == [ServerAddress(host: "one,two", port: "1,2,3")])
        #expect(list("one", "10.0.0.1,10.0.0.2") == [ServerAddress(host: "one", hostaddr: "10.0.0.1,10.0.0.2")])
    }

    @Test func aStandbyIsLookedForEverywhereBeforeAnybodyElseWillDo() {
        let info = ConnectionInfo("host=a,b port=1 target_session_attrs=prefer-standby connect_timeout=7")
        let places = info.addresses { _ in [] }
        #expect(places.map { "\($0.host ?? "") \($0.session ?? "")" } == ["a standby", "b standby", "a any", "b any"])
        #expect(info.connectTimeout == .seconds(7))
    }

    @Test func whatTheAddressSaysWinsOverOurDefaultsAndThePlaceOverTheList() {
        let info = ConnectionInfo("host=a,b tcp_user_timeout=1 password=p")
        let place = ServerAddress(host: "b", hostaddr: "10.0.0.2")
        let all = info.parameters(for: place, defaults: [("tcp_user_timeout", "2"), ("keepalives_idle", "3")], fixed: [("x", "y")])
        // libpq takes the last.
        let last = Dictionary(all) { $1 }
        #expect(last == ["host": "b", "hostaddr": "10.0.0.2", "tcp_user_timeout": "1", "keepalives_idle": "3", "password": "p", "x": "y"])
    }

    @Test func aNameWithoutAnAddressIsTriedOnlyWhereNothingElseIsKnown() {
        #expect(Addresses(ConnectionInfo("host=nowhere.invalid,10.0.0.5")).all().map(\.host) == ["10.0.0.5"])
        #expect(Addresses(ConnectionInfo("host=nowhere.invalid")).all().map(\.host) == ["nowhere.invalid"])
    }

    @Test func whoWasSilentComesLast() {
        let addresses = Addresses(ConnectionInfo("host=/a,/b,/c"))
        addresses.wasSilent(ServerAddress(host: "/a", port: addresses.all()[0].port))
        #expect(addresses.all().map(\.host) == ["/b", "/c", "/a"])
    }
}
