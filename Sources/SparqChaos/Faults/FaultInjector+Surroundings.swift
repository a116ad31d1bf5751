import Foundation

/// Faults of what surrounds the processes, and those of many processes at once.
extension FaultInjector {
    // MARK: The network

    func freeze(_ server: Servers.Server, _ fault: Fault) async throws {
        guard let count = await stack.middleboxes[server]?.forget(), count > 0 else { return skip(fault, "no connection was open") }
        note(fault, on: "\(count) connections")
    }

    func cutUnheard(_ fault: Fault) async throws {
        guard let middlebox = await stack.middleboxes[.rabbitmq], middlebox.beginUnheard() > 0 else {
            return skip(fault, "no connection was open")
        }
        let record = note(fault)
        await pause(.milliseconds(fault.outage))
        middlebox.cutUnheard()
        setTime(of: record)
    }

    // MARK: The machine

    /// A worker gets no file descriptor for a connection for a while. Its connections are cut, all others' too, and new ones are refused until it has
    /// given their numbers back. Then its limit is so low that these are among the last ones, which it leaves to libdispatch.
    func starve(_ fault: Fault) async throws {
        let pid = try await pid(.worker, fault.target)
        let before = try ProcessTable.openFilesLimit(of: pid)
        note(fault)
        let middleboxes = Array(await stack.middleboxes.values)
        defer { for middlebox in middleboxes { middlebox.refuse(false) } }
        for middlebox in middleboxes {
            middlebox.refuse(true)
            _ = middlebox.beginUnheard()
            middlebox.cutUnheard()
        }
        await pause(.seconds(1))
        try await ProcessTable.limitOpenFiles(of: pid, to: "\(try ProcessTable.limitWithFewFree(of: pid))")
        for middlebox in middleboxes { middlebox.refuse(false) }
        await pause(.milliseconds(fault.outage))
        try await ProcessTable.limitOpenFiles(of: pid, to: before)
    }

    func refuseWrites(_ fault: Fault) async throws {
        let state = Refusals.states[fault.at % Refusals.states.count]
        let refusals = Refusals(database: database)
        try await refusals.begin(state)
        let record = note(fault, on: state)
        await pause(.milliseconds(fault.outage))
        try await refusals.end()
        setTime(of: record)
    }

    // MARK: Many at once

    func killAll(_ victims: [Victim], _ fault: Fault) async throws {
        note(fault, on: "\(victims.count) processes")
        for case .server(let server) in victims { Foundation.kill(try await stack.servers.pid(server), SIGKILL) }
        for case .process(let role, let index) in victims { await stack.signal(role, index, SIGKILL) }
        for case .process(let role, let index) in victims { await stack.kill(role, index) }
        await pause(.milliseconds(fault.outage))
        for case .server(let server) in victims { try await stack.servers.restart(server) }
        for case .process(let role, let index) in victims { try await stack.start(role, index) }
    }

    /// Workers die again and again as soon as they are there.
    func crashLoop(_ victims: [Victim], _ fault: Fault) async throws {
        let record = note(fault, on: "\(victims.count) workers")
        let end = ContinuousClock.now + .milliseconds(fault.outage)
        while ContinuousClock.now < end {
            for case .process(let role, let index) in victims { await stack.kill(role, index) }
            for case .process(let role, let index) in victims { try await stack.start(role, index) }
            await pause(.milliseconds(.random(in: 150...500)))
        }
        setTime(of: record)
    }
}
