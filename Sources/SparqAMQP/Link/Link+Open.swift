internal import CRabbitMQ
internal import Glibc

extension Link {
    /// Opens the TCP connection, and with TLS secures it.
    static func openSocket(_ state: amqp_connection_state_t, _ configuration: AMQPConfiguration, _ host: AMQPHost) throws(AMQPError) {
        guard let tls = configuration.tls else {
            guard let socket = amqp_tcp_socket_new(state) else { throw noSocket }
            return amqp_tcp_socket_set_sockfd(socket, try Dial.connect(host, limit: configuration.connectTimeout))
        }
        guard let socket = amqp_ssl_socket_new(state) else { throw noSocket }
        try prepare(socket, tls)
        // librabbitmq resolves the name itself, without a limit: only where that does not take long.
        _ = try Resolver.addresses(of: host, within: configuration.connectTimeout)
        var timeout = configuration.connectTimeout.timeval
        do throws(AMQPError) {
            try check("connecting") { amqp_socket_open_noblock(socket, host.name, Int32(host.port), &timeout) }
        } catch {
            var error = error
            if error.code == .connectionLost || error.code == .timeout { error.code = .connectFailed }
            error.message = "\(host): \(error.message)"
            throw error
        }
    }

    private static var noSocket: AMQPError { AMQPError(.outOfResources, "no memory for a socket", operation: "connecting") }

    private static func prepare(_ socket: OpaquePointer, _ tls: TLSSettings) throws(AMQPError) {
        func check(_ status: Int32, _ what: String) throws(AMQPError) {
            let number = errno
            guard status != AMQP_STATUS_OK.rawValue else { return }
            // A file that could not be opened for want of a descriptor is no fault of the file.
            throw SystemError.isLack(number)
                ? SystemError.error(number, otherwise: .tlsFailed, "cannot use \(what)", operation: "preparing TLS")
                : AMQPError(.tlsFailed, "cannot use \(what)", operation: "preparing TLS")
        }
        errno = 0
        try check(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST), "TLS 1.2 and later")
        amqp_ssl_socket_set_verify_peer(socket, tls.verifyPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, tls.verifyHostname ? 1 : 0)
        if let file = tls.caFile ?? systemAuthorities() {
            try check(amqp_ssl_socket_set_cacert(socket, file), "the authorities' certificates in \(file)")
        }
        switch (tls.certificateFile, tls.keyFile) {
        case (nil, nil): break
        case (let certificate?, let key?):
            try check(amqp_ssl_socket_set_key(socket, certificate, key), "the client's certificate \(certificate) with its key")
        default:
            throw AMQPError(.tlsFailed, "a client's certificate and its key go together", operation: "preparing TLS")
        }
    }

    /// librabbitmq 0.11 does not load the system's authorities by itself.
    private static func systemAuthorities() -> String? {
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
            .first { access($0, R_OK) == 0 }
    }

    static func login(_ state: amqp_connection_state_t, _ configuration: AMQPConfiguration) throws(AMQPError) {
        let arena = Arena()
        var timeout = configuration.connectTimeout.timeval
        amqp_set_handshake_timeout(state, &timeout)
        // librabbitmq 0.11 announces only authentication_failure_close and exchange_exchange_bindings by itself.
        var properties: [String: AMQPValue] = [
            "capabilities": .table([
                "connection.blocked": true, "consumer_cancel_notify": true, "basic.nack": true, "publisher_confirms": true,
            ])
        ]
        if let name = configuration.connectionName { properties["connection_name"] = .string(name) }
        var table = try arena.table(properties)
        errno = 0
        let reply = crabbitmq_login(
            state,
            configuration.virtualHost,
            AMQP_DEFAULT_FRAME_SIZE,
            Int32(clamping: (Int64(configuration.heartbeat.milliseconds) + 999) / 1000),
            &table,
            configuration.user,
            configuration.password
        )
        let number = errno
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL:
            return
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == MethodID.connectionClose.rawValue && reply.reply.decoded != nil:
            var error = connectionClosed(reply.reply.decoded, operation: "logging in")
            if error.replyCode == 403 { error.code = .accessRefused }
            throw error
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            var error = failure(reply.library_error, number, operation: "logging in")
            if error.code == .timeout { error.code = .connectFailed }
            throw error
        default:
            throw AMQPError(.protocolViolation, "unexpected answer", operation: "logging in")
        }
    }

    static func connectionClosed(_ decoded: UnsafeMutableRawPointer, operation: String) -> AMQPError {
        let method = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
        var error = AMQPError(.connectionClosed, Decoding.text(method.reply_text), operation: operation, replyCode: method.reply_code)
        error.failedClassID = method.class_id
        error.failedMethodID = method.method_id
        return error
    }
}
