# shellcheck shell=bash disable=SC2154 # the variables are set by scripts/stack
# The stack as plain processes. Files in .stack/run say of each: NAME.pid (pid), NAME.stamp (its settings), NAME.files (what it runs),
# NAME.host (where a front listens), NAME.patience (how long it may take to end), NAME.ready (while a worker consumes).
# Fronts are called front-PORT, workers worker-1, worker-2, …

ready_seconds=90

native_names() { # KIND, sorted by number
    local file
    for file in "$stack"/run/"$1"-*.pid; do
        if [[ -e $file ]]; then basename "$file" .pid; fi
    done | sort -t - -k 2n
}

# Each process has its program in its environment, and so has what it runs in turn: a program may be a wrapper.
native_mark="STACK_PROGRAM=$stack/bin/sparq-"

# native_mark_of PID: what it is known by; who was started by scripts of an older version has the program in its command line alone.
native_mark_of() { if is_ours "$1" "$native_mark"; then echo "$native_mark"; else echo "$stack/bin/sparq-"; fi; }

native_alive() {
    local pid
    pid=$(first_line "$stack/run/$1.pid")
    for _ in 1 2 3; do
        is_ours "$pid" "$(native_mark_of "$pid")" && return 0
        if [[ -z $pid || ! -e /proc/$pid ]]; then return 1; fi
        sleep 0.02 # a process that becomes another program has neither for a moment
    done
    return 1
}

native_ready() {
    native_alive "$1" || return 1
    if [[ $1 == front-* ]]; then
        [[ $(http_status "${1#front-}" /readyz "$(first_line "$stack/run/$1.host")") == 200 ]]
    else
        [[ -e $stack/run/$1.ready ]]
    fi
}

# native_processes: all that runs for this stack.
native_processes() {
    local pid
    {
        grep -lszF "$native_mark" /proc/[0-9]*/environ | cut -d / -f 3 || true
        processes_with exe "$stack/bin/sparq-"
    } | sort -un
}

# native_session PID: those of them that the process started, and itself: each was made the leader of a session.
native_session() {
    local pid
    for pid in $(native_processes); do
        if [[ $(session_of "$pid") == "$1" ]]; then echo "$pid"; fi
    done
}

# native_strays: those that belong to no process we know: somebody removed its pid file, or a wrapper ended before its program.
native_strays() {
    local name pid known=' '
    for name in $(native_names front) $(native_names worker); do
        if native_alive "$name"; then known+="$(first_line "$stack/run/$name.pid") "; fi
    done
    for pid in $(native_processes); do
        if [[ $known != *" $pid "* && $known != *" $(session_of "$pid") "* ]]; then echo "$pid"; fi
    done
}

# native_files NAME: which files it runs: its program, and what its command line names; those of the program behind a wrapper too.
native_files() {
    local pid word words
    for pid in $(native_session "$(first_line "$stack/run/$1.pid")"); do
        readlink "/proc/$pid/exe" || true
        words=()
        mapfile -d '' -t words 2>/dev/null <"/proc/$pid/cmdline" || true
        for word in "${words[@]}"; do
            if [[ $word != /* ]]; then word=$root/$word; fi
            if [[ -f $word ]]; then echo "$word"; fi
        done
    done | sort -u | native_identities
}

# A file's identity and its path, for each line with a path.
native_identities() { xargs -r -d '\n' stat -L -c '%d:%i:%s:%.9Y %n' 2>/dev/null || true; }

# native_changed NAME: whether its settings or one of its files are others by now.
native_changed() {
    local files=$stack/run/$1.files
    [[ $(first_line "$stack/run/$1.stamp") != "$stamp" || ! -e $files || $(cut -d ' ' -f 2- "$files" | native_identities) != "$(<"$files")" ]]
}

# milliseconds NAME DEFAULT: a setting.
milliseconds() { if [[ ${!1:-} =~ ^[0-9]{1,9}$ ]]; then echo "$((10#${!1}))"; else echo "$2"; fi; }

# drain_seconds KIND: how long a process may take from SIGTERM to its end, with twenty seconds for its last connections. A front's drain has its
# limits in Front.drain: the window, two deadlines and five seconds, and a third deadline. A worker's is WorkerConfiguration.drainLimit.
drain_seconds() {
    local limit=25000
    if [[ $1 == front ]]; then
        limit=$(($(milliseconds SPARQ_DRAIN_WINDOW_MS 5000) + 3 * $(milliseconds SPARQ_REPLY_DEADLINE_MS 10000) + 5000))
    fi
    echo $(((limit + 999) / 1000 + 20))
}

# native_launch NAME: starts one process in a session of its own. It writes down its pid before it runs, and lets the lock of this
# command go only when it is known by its program's name: whoever kills this command leaves nothing that the next one does not know.
native_launch() {
    local name=$1 kind=${1%%-*} pid
    rm -f "$stack/run/$name".*
    (
        echo "$BASHPID" >"$stack/run/$name.pid"
        echo "${SPARQ_HTTP_HOST:-127.0.0.1}" >"$stack/run/$name.host"
        drain_seconds "$kind" >"$stack/run/$name.patience"
        echo "$stamp" >"$stack/run/$name.stamp"
        if [[ $kind == worker ]]; then
            place=(SPARQ_READY_FILE="$stack/run/$name.ready" SPARQ_HEALTH_PORT=0) # one port for many would collide
        else
            place=(-u SPARQ_POSTGRES_URL SPARQ_HTTP_PORT="${name#*-}") # fronts have no database
        fi
        raise_open_files
        # shellcheck disable=SC2016 # for the inner shell
        cd "$root" && exec env "${place[@]}" STACK_PROGRAM="$binary" setsid bash -c 'exec 8>&- "$0" "$1"' "$binary" "$kind"
    ) </dev/null >>"$stack/logs/$name.log" 2>&1 &
    pid=$!
    until native_alive "$name" || ! kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    launched+=("$name")
}

# native_stop NAME…: asks all at once, then waits for each.
native_stop() {
    local name pid patience
    for name in "$@"; do
        if native_alive "$name"; then kill -TERM "$(first_line "$stack/run/$name.pid")" 2>/dev/null || true; fi
    done
    for name in "$@"; do
        pid=$(first_line "$stack/run/$name.pid")
        patience=$(first_line "$stack/run/$name.patience")
        if [[ -z $patience ]]; then patience=$(drain_seconds "${name%%-*}"); fi
        await_end "$pid" "$(native_mark_of "$pid")" "$patience" # no second SIGTERM: it would cut the drain short
        end_all "$patience" native_session "$pid" # a wrapper may end before its program
        rm -f "$stack/run/$name".*
    done
}

# native_await NAME…: until all are ready; a process that ended or a deadline that passed ends the whole command.
native_await() {
    local deadline=$((SECONDS + ready_seconds)) look=$SECONDS name
    for name in "$@"; do
        until native_ready "$name"; do
            if ! native_alive "$name"; then native_failed "$name" "ended by itself"; fi
            if ((SECONDS > look)); then
                if native_repair_servers; then deadline=$((SECONDS + ready_seconds)); fi
                look=$SECONDS
            fi
            if ((SECONDS >= deadline)); then native_failed "$name" "is not ready after $ready_seconds s"; fi
            sleep 0.1
        done
        if [[ ! -e $stack/run/$name.files ]]; then native_files "$name" >"$stack/run/$name.files"; fi
    done
}

# native_repair_servers: starts a server that died while we wait for those who need it; fails where none did.
native_repair_servers() {
    local before=$SPARQ_AMQP_URL,$SPARQ_POSTGRES_URL line
    if "$here/services" status "$stack/services" >/dev/null 2>&1 8>&-; then return 1; fi
    ((repairs < 3)) || die "a server dies again and again; its log is in $stack/services"
    repairs=$((repairs + 1))
    say "A server died meanwhile; starting it again:"
    "$here/services" start "$stack/services" 8>&-
    while IFS= read -r line; do export "${line?}"; done < <("$here/services" env "$stack/services")
    [[ $SPARQ_AMQP_URL,$SPARQ_POSTGRES_URL == "$before" ]] || die "the server's port was taken, it has another one now: make up again"
}

native_failed() {
    warn "the last lines of .stack/logs/$1.log:"
    tail -n 20 "$stack/logs/$1.log" >&2
    die "$1 $2; what runs is shown by make ps, make down stops it"
}

# native_build: the binary is copied, so that a later build does not change a file that is being run.
native_build() {
    local built=${SPARQ_BINARY:-}
    if [[ -z $built ]]; then
        say "Building the release (the first time takes some minutes) …"
        (cd "$root" && swift build -c release --product sparq 8>&-) || die "the build failed"
        built=$(cd "$root" && swift build -c release --show-bin-path)/sparq
    fi
    [[ -x $built ]] || die "$built is no program"
    binary=$stack/bin/sparq-$(sha256sum <"$built" | cut -c1-12)
    if [[ ! -e $binary ]]; then
        cp "$built" "$binary.new"
        mv "$binary.new" "$binary"
    fi
}

native_servers() {
    local line
    line=$("$here/services" start "$stack/services" 8>&-)
    if [[ $line != *"nothing changed"* ]]; then say "$line"; servers_changed=1; fi
    while IFS= read -r line; do export "${line?}"; done < <("$here/services" env "$stack/services")
    unset SPARQ_NODE_ID SPARQ_READY_FILE # every process has its own
    unset SPARQ_RABBITMQ_PASSWORD SPARQ_POSTGRES_PASSWORD # of the container stack
    (cd "$root" && "$binary" migrate up 8>&-) >"$stack/logs/migrate.log" 2>&1 ||
        { tail -n 20 "$stack/logs/migrate.log" >&2; die "migrations failed"; }
    stamp=$(env | grep '^SPARQ_' | grep -v '^SPARQ_BINARY=' | sort | cat - <(echo "$binary") | sha256sum | cut -c1-12)
}

# native_wanted: the names that shall run. Fronts keep their ports; new ones take the next that are free.
native_wanted() {
    local name host=${SPARQ_HTTP_HOST:-127.0.0.1} port=${SPARQ_HTTP_PORT:-8080} number count=0
    if [[ $port == 0 ]]; then port=$(free_port); fi
    wanted=()
    for ((number = 1; number <= workers; number++)); do wanted+=("worker-$number"); done
    for name in $(native_names front); do
        if ((count >= fronts)); then break; fi
        if ! native_alive "$name" && port_taken "${name#front-}" "$host"; then rm -f "$stack/run/$name".*; continue; fi
        wanted+=("$name")
        count=$((count + 1))
    done
    for (( ; count < fronts; port++)); do
        ((port < 65536)) || die "no free port for a front"
        if [[ " ${wanted[*]} " == *" front-$port "* ]]; then continue; fi
        if port_taken "$port" "$host"; then say "port $port is taken by somebody else: skipped"; continue; fi
        wanted+=("front-$port")
        count=$((count + 1))
    done
}

native_up() {
    local name surplus=() rolling=() started=()
    launched=() servers_changed=0 repairs=0
    "$here/install-packages" build servers 8>&-
    mkdir -p "$stack"/{run,logs,bin}
    native_build
    end_all "$(drain_seconds front)" native_strays
    native_servers
    native_keep_logs
    native_wanted
    for name in $(native_names front) $(native_names worker); do
        if [[ " ${wanted[*]} " != *" $name "* ]]; then surplus+=("$name"); fi
    done
    for name in "${wanted[@]}"; do
        if ! native_alive "$name"; then
            native_launch "$name"
        elif native_changed "$name"; then
            rolling+=("$name")
        fi
    done
    started=("${launched[@]}")
    native_await "${launched[@]}" # what starts comes before what stops, so that service goes on
    if ((${#surplus[@]} > 0)); then say "Stopping ${surplus[*]} …"; native_stop "${surplus[@]}"; fi
    if ((${#rolling[@]} > 0)); then
        say "The program or its settings changed: restarting one by one"
        for name in "${rolling[@]}"; do
            native_stop "$name"
            native_launch "$name"
            native_await "$name"
            say "  $name"
        done
    fi
    native_await "${wanted[@]}"
    if native_repair_servers; then native_await "${wanted[@]}"; fi
    find "$stack/bin" -type f ! -name "$(basename "$binary")" -delete
    if ((${#started[@]} > 0)); then say "Started ${started[*]}."; fi
    if ((${#launched[@]} + ${#surplus[@]} + servers_changed == 0)); then say "All of it runs already; nothing changed."; fi
    native_report
}

# native_keep_logs: starts what bounds the logs, in place of the one that is there, which may be of an older version; and forgets processes
# that are gone: what is left of their files, and logs that nobody has written to for a week.
native_keep_logs() {
    local file name
    for file in "$stack"/run/* "$stack"/logs/*; do
        name=$(basename "${file%.1}"); name=${name%.*}
        if [[ $name =~ ^(front|worker)-[0-9]+$ && ! -e $stack/run/$name.pid ]]; then
            if [[ $file == "$stack"/run/* || -n $(find "$file" -mtime +7) ]]; then rm -f "$file"; fi
        fi
    done
    end_process "$(first_line "$stack/keeper")" "keep-logs $stack" TERM 5
    setsid "$here/keep-logs" "$stack" </dev/null >/dev/null 2>&1 8>&- &
}

native_report() {
    local first
    first=$(native_names front | head -n 1)
    say ""
    native_ps
    say ""
    say "Chat:  $(chat_url "$(first_line "$stack/run/$first.host")" "${first#front-}")   (every front serves it)"
    say "Logs:  make logs    State: make ps    Stop: make down    Scale: make up FRONTS=3 WORKERS=5"
}

native_ps() {
    local name state port
    printf '%-12s %-10s %-8s %-6s %s\n' NAME STATE PROCESS PORT LOG
    for name in $(native_names front) $(native_names worker); do
        if native_ready "$name"; then state=ready; elif native_alive "$name"; then state='not ready'; else state=dead; fi
        port=-
        if [[ $name == front-* ]]; then port=${name#front-}; fi
        printf '%-12s %-10s %-8s %-6s %s\n' "$name" "$state" "$(first_line "$stack/run/$name.pid")" "$port" ".stack/logs/$name.log"
    done
    if [[ -e $stack/services/servers ]]; then "$here/services" status "$stack/services" || true; fi
}

native_logs() {
    compgen -G "$stack/logs/*.log" >/dev/null || die "there are no logs yet"
    exec tail -n "${LINES_BEFORE:-20}" -F "$stack"/logs/*.log
}

native_down() {
    local names
    mapfile -t names < <(native_names front; native_names worker)
    if ((${#names[@]} > 0)); then
        say "Stopping ${names[*]} …"
        native_stop "${names[@]}"
    fi
    end_all "$(drain_seconds front)" native_strays
    end_process "$(first_line "$stack/keeper")" "keep-logs $stack" TERM 5
    "$here/services" stop "$stack/services" 8>&-
}

native_clean() {
    native_down
    "$here/services" clean "$stack/services" 8>&- >/dev/null
}
