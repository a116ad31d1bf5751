# shellcheck shell=bash disable=SC2154 # the variables are set by scripts/services
# A private PostgreSQL server: own data and port, loopback only, durable. Sourced by scripts/services.

postgres_data=$data/postgres/data
# Held by the server and its children as long as one of them runs, and by initdb.
postgres_lock=$data/postgres.lock
postgres_mark="postgres -D $postgres_data "

# A prefix for commands: PostgreSQL refuses root, so root becomes the package's user postgres.
postgres_as=(env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/nonexistent)
if ((EUID == 0)); then postgres_as+=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi

# The newest server installed, or the one that the data were made with.
postgres_bin() {
    local version
    if [[ -e $postgres_data/PG_VERSION ]]; then
        version=$(first_line "$postgres_data/PG_VERSION")
        [[ -x /usr/lib/postgresql/$version/bin/postgres ]] ||
            die "the data in $postgres_data belong to PostgreSQL $version, which is not installed (make clean removes them)"
    else
        version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1)
        [[ -n $version && -x /usr/lib/postgresql/$version/bin/initdb ]] ||
            die "the PostgreSQL server is not installed; run scripts/install-packages"
    fi
    echo "/usr/lib/postgresql/$version/bin"
}

# All that belongs to the server, also children that outlive a killed postmaster for a moment and hold its shared memory: they work in
# its folder.
postgres_processes() {
    local pid
    for pid in $(processes_with cwd "$data/postgres"); do
        if [[ $(first_line "/proc/$pid/comm") =~ ^(postgres|initdb)$ ]]; then echo "$pid"; fi
    done 2>/dev/null
}

postgres_pid() {
    local pid
    for pid in $(first_line "$postgres_data/postmaster.pid") $(postgres_processes); do
        if is_ours "$pid" "$postgres_mark"; then echo "$pid"; return; fi
    done
}

postgres_initdb() {
    [[ ! -e $postgres_data/PG_VERSION ]] || return 0
    local new=$data/postgres/new bin=$1
    rm -rf "$new" "$postgres_data"
    printf '%s\n' "$password" >"$data/postgres/pw"
    chmod 600 "$data/postgres/pw"
    if ((EUID == 0)); then chown postgres: "$data/postgres/pw"; fi
    (cd "$data/postgres" && exec "${postgres_as[@]}" "$bin/initdb" -D "$new" -U sparq --pwfile="$data/postgres/pw" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums) >"$data/postgres/initdb.log" 2>&1 9>&- ||
        { tail -n 5 "$data/postgres/initdb.log" >&2; die "initdb failed; its log is $data/postgres/initdb.log"; }
    rm -f "$data/postgres/pw"
    mv "$new" "$postgres_data" # only whole data get the real name
}

postgres_answers() {
    [[ $(sed -n 8p "$postgres_data/postmaster.pid" 2>/dev/null) == ready* ]] &&
        "$1/pg_isready" -q -h 127.0.0.1 -p "$postgres_port" -t 3
}

postgres_start() {
    local attempt bin child deadline log=$data/postgres/server.log
    bin=$(postgres_bin)
    for attempt in 1 2 3; do
        choose_ports postgres_port
        exec 7>"$postgres_lock"
        flock -n 7 || die "somebody runs on $data/postgres"
        postgres_initdb "$bin"
        (cd "$data/postgres" && exec "${postgres_as[@]}" setsid "$bin/postgres" -D "$postgres_data" -p "$postgres_port" \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
            -c fsync=on -c synchronous_commit=on -c log_line_prefix='%m [%p] ') </dev/null >>"$log" 2>&1 9>&- &
        child=$!
        exec 7>&-
        deadline=$((SECONDS + 120)) # recovery after a crash takes its time
        while kill -0 "$child" 2>/dev/null && ((SECONDS < deadline)); do
            if postgres_answers "$bin"; then
                postgres_create_database "$bin"
                return 0
            fi
            sleep 0.1
        done
        postgres_stop
        warn "PostgreSQL did not start (attempt $attempt of 3)"
        postgres_port=''
    done
    tail -n 20 "$log" >&2
    die "PostgreSQL does not start; its log is $log"
}

postgres_create_database() {
    local ask=("$1/psql" -X -q -At -h 127.0.0.1 -p "$postgres_port" -U sparq -d postgres) # everybody can read command lines
    if [[ $(PGPASSWORD=$password "${ask[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'sparq'") != 1 ]]; then
        PGPASSWORD=$password "${ask[@]}" -c 'CREATE DATABASE sparq'
    fi
}

postgres_stop() {
    local pid
    pid=$(postgres_pid)
    if [[ -n $pid ]]; then end_process "$pid" "$postgres_mark" INT 30; fi
    vacate "$postgres_lock" postgres_processes
    rm -f "$postgres_data/postmaster.pid"
}
