# shellcheck shell=bash disable=SC2154 # the variables are set by scripts/services
# A private RabbitMQ node: own data, cookie, epmd and ports, loopback only. Sourced by scripts/services.

rabbitmq_bin=/usr/lib/rabbitmq/bin # the wrappers in /usr/sbin would change to the user rabbitmq and the system's data
rabbitmq_mark="-sparq_node $node"

# Held by the broker as long as it runs; beside its home, which is removed where a first boot fails.
rabbitmq_lock=$data/rabbitmq.lock

# All that belongs to the broker: the shell around it, Erlang, its helpers, epmd. Their environment says whose they are.
rabbitmq_processes() {
    local pid
    { grep -lsxzF "RABBITMQ_PID_FILE=$data/rabbitmq/pid" /proc/[0-9]*/environ || true; } |
        while IFS=/ read -r _ _ pid _; do echo "$pid"; done
}

# Erlang itself. The pid file comes late in its boot.
rabbitmq_pid() {
    local pid
    for pid in $(first_line "$data/rabbitmq/pid") $(rabbitmq_processes); do
        if is_ours "$pid" "$rabbitmq_mark"; then echo "$pid"; return; fi
    done
}

# Sets rabbitmq_env, a prefix for commands: nothing of the caller's or the system's RabbitMQ settings gets through.
rabbitmq_environment() {
    local home=$data/rabbitmq
    rabbitmq_env=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$home"
        RABBITMQ_CONF_ENV_FILE="$home/empty.conf"
        RABBITMQ_NODENAME="$node@localhost"
        RABBITMQ_MNESIA_BASE="$home/mnesia"
        RABBITMQ_LOG_BASE="$home/log"
        RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf"
        RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config"
        RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins"
        RABBITMQ_PLUGINS_EXPAND_DIR="$home/plugins"
        RABBITMQ_GENERATED_CONFIG_DIR="$home/generated"
        RABBITMQ_PID_FILE="$home/pid"
        RABBITMQ_DIST_PORT="$dist_port"
        ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1
        ERL_CRASH_DUMP="$home/log/erl_crash.dump"
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt short -kernel inet_dist_use_interface {127,0,0,1} $rabbitmq_mark")
}

rabbitmq_configure() {
    local home=$data/rabbitmq
    # A node killed during its very first boot may have data but no user yet: begin again.
    [[ -e $home/booted ]] || rm -rf "$home"
    mkdir -p "$home/log" "$home/mnesia"
    chmod 700 "$home"
    : >"$home/empty.conf"
    echo '[].' >"$home/advanced.config"
    echo '[].' >"$home/enabled_plugins"
    if [[ ! -e $home/.erlang.cookie ]]; then
        random_word 20 >"$home/.erlang.cookie"
        chmod 400 "$home/.erlang.cookie"
    fi
    cat >"$home/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$amqp_port
default_user = sparq
default_pass = $password
default_vhost = sparq
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
raft.wal_max_size_bytes = 67108864
log.file.level = info
log.file.rotation.size = $log_bytes
log.file.rotation.count = 2
CONF
    chmod 600 "$home/rabbitmq.conf"
}

# The broker accepts connections last in its boot; one that answers the protocol's header is ready.
rabbitmq_answers() (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/127.0.0.1/$amqp_port" || exit 1
    printf 'AMQP\000\000\011\001' >&3
    IFS= read -r -t 3 -d '' -n 1 byte <&3
    [[ $byte == $'\001' ]]
)

rabbitmq_start() {
    [[ -x $rabbitmq_bin/rabbitmq-server ]] || die "rabbitmq-server is not installed; run scripts/install-packages"
    local attempt wrapper deadline log=$data/rabbitmq/log/console.log
    for attempt in 1 2 3; do
        choose_ports amqp_port dist_port epmd_port
        rabbitmq_configure
        rabbitmq_environment
        rm -f "$data/rabbitmq/pid"
        "${rabbitmq_env[@]}" epmd -daemon -port "$epmd_port" -address 127.0.0.1 9>&-
        exec 7>"$rabbitmq_lock"
        flock -n 7 || die "somebody runs on $data/rabbitmq"
        (
            raise_open_files
            cd "$data/rabbitmq" && exec "${rabbitmq_env[@]}" setsid "$rabbitmq_bin/rabbitmq-server"
        ) </dev/null >>"$log" 2>&1 9>&- &
        wrapper=$!
        exec 7>&-
        deadline=$((SECONDS + 120))
        while kill -0 "$wrapper" 2>/dev/null && ((SECONDS < deadline)); do
            if [[ -n $(rabbitmq_pid) ]] && rabbitmq_answers; then
                touch "$data/rabbitmq/booted"
                return 0
            fi
            sleep 0.2
        done
        rabbitmq_stop
        # Somebody may have taken a port between our look and the broker's: others next time.
        warn "RabbitMQ did not start (attempt $attempt of 3)"
        amqp_port='' dist_port='' epmd_port=''
    done
    tail -n 20 "$log" >&2
    die "RabbitMQ does not start; its log is $log"
}

rabbitmq_stop() {
    local pid patience=3 # nobody waits for a broker that does not answer
    pid=$(rabbitmq_pid)
    if [[ -n $pid ]]; then
        if rabbitmq_answers; then patience=30; fi
        end_process "$pid" "$rabbitmq_mark" TERM "$patience"
    fi
    vacate "$rabbitmq_lock" rabbitmq_processes
    rm -f "$data/rabbitmq/pid"
}
