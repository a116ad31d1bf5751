internal import CRabbitMQ
internal import Glibc

extension Link {
    static func openSocket(_ state: amqp_connection_state_t, _ configuration: AMQPConfiguration) throws(AMQPError) {
        let operation = "connecting"
        let socket: OpaquePointer?
        if let tls = configuration.tls {
            socket = amqp_ssl_socket_new(state)
            if let socket { try prepare(socket, tls) }
        } else {
            socket = amqp_tcp_socket_new(state)
        }
        guard let socket else { throw AMQPError(.outOfResources, "no socket", operation: operation) }
        var timeout = configuration.connectTimeout.timeval
        amqp_set_handshake_timeout(state, &timeout)
        let status = amqp_socket_open_noblock(socket, configuration.host, Int32(configuration.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else {
            var error = failure(status, operation: operation)
            if error.code == .connectionLost || error.code == .timeout { error.code = .connectFailed }
            throw error
        }
    }

    private static func prepare(_ socket: OpaquePointer, _ tls: TLSSettings) throws(AMQPError) {
        func check(_ status: Int32, _ what: String) throws(AMQPError) {
            guard status == AMQP_STATUS_OK.rawValue else { throw AMQPError(.tlsFailed, "cannot use \(what)", operation: "preparing TLS") }
        }
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
        // librabbitmq 0.11 announces only authentication_failure_close and exchange_exchange_bindings by itself.
        var properties: [String: AMQPValue] = [
            "capabilities": .table([
                "connection.blocked": true, "consumer_cancel_notify": true, "basic.nack": true, "publisher_confirms": true,
            ])
        ]
        if let name = configuration.connectionName { properties["connection_name"] = .string(name) }
        var table = try arena.table(properties)
        let reply = crabbitmq_login(
            state,
            configuration.virtualHost,
            AMQP_DEFAULT_FRAME_SIZE,
            Int32(clamping: (Int64(configuration.heartbeat.milliseconds) + 999) / 1000),
            &table,
            configuration.user,
            configuration.password
        )
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL:
            return
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == MethodID.connectionClose.rawValue && reply.reply.decoded != nil:
            var error = connectionClosed(reply.reply.decoded, operation: "logging in")
            if error.replyCode == 403 { error.code = .accessRefused }
            throw error
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            var error = failure(reply.library_error, operation: "logging in")
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

    /// Makes an error of a negative status of librabbitmq.
    static func failure(_ status: Int32, operation: String) -> AMQPError {
        let code: AMQPError.Code
        switch status {
        case AMQP_STATUS_TIMEOUT.rawValue: code = .timeout
        case AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue: code = .heartbeatTimeout
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED.rawValue: code = .connectFailed
        case AMQP_STATUS_NO_MEMORY.rawValue: code = .outOfResources
        case AMQP_STATUS_TABLE_TOO_BIG.rawValue, AMQP_STATUS_INVALID_PARAMETER.rawValue: code = .invalidArgument
        case AMQP_STATUS_SSL_ERROR.rawValue, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue,
            AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue, AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            code = .tlsFailed
        case AMQP_STATUS_BAD_AMQP_DATA.rawValue, AMQP_STATUS_UNKNOWN_CLASS.rawValue, AMQP_STATUS_UNKNOWN_METHOD.rawValue,
            AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION.rawValue, AMQP_STATUS_UNEXPECTED_STATE.rawValue,
            AMQP_STATUS_WRONG_METHOD.rawValue, AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD.rawValue:
            code = .protocolViolation
        default: code = .connectionLost
        }
        return AMQPError(code, amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)", operation: operation)
    }
}
