# shellcheck shell=bash disable=SC2154,SC2034 # the variables are set by who sources it
# A stack to be measured: servers of its own in $servers, and processes of the program $stack/sparq, which all end with the script.

processes=()

stop_stack() {
    local status=$? pid
    trap - EXIT
    trap '' INT TERM HUP # once it has begun it is not broken off
    for pid in "${processes[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${processes[@]}"; do await_end "$pid" "$stack/sparq" 30; done
    scripts/services stop "$servers" >/dev/null 2>&1 8>&- || warn "the servers in $servers did not stop"
    exit "$status"
}
trap stop_stack EXIT
trap 'exit 130' INT TERM HUP

# fresh_servers: without anything in them, and the settings for them. Sets postgres_bin, and bare_url for its tools.
fresh_servers() {
    scripts/services clean "$servers" >/dev/null 8>&-
    scripts/services start "$servers" 8>&-
    while IFS= read -r line; do export "${line?}"; done < <(scripts/services env "$servers")
    withhold_password "$SPARQ_POSTGRES_URL"
    postgres_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
    SPARQ_JWT_SECRET=$(random_word 32)
    export SPARQ_JWT_SECRET SPARQ_LOG_LEVEL=warning SPARQ_HTTP_HOST=127.0.0.1 SPARQ_HTTP_PORT=0
}

# launch NAME ROLE SETTING…: starts one process and waits until its port or ready file is there.
launch() {
    local name=$1 role=$2 pid deadline=$((SECONDS + 60))
    shift 2
    rm -f "$stack/$name.up"
    (cd "$root" && exec env "$@" SPARQ_PORT_FILE="$stack/$name.up" SPARQ_READY_FILE="$stack/$name.up" setsid "$stack/sparq" "$role") \
        </dev/null >"$stack/$name.log" 2>&1 8>&- &
    pid=$!
    disown "$pid" # nobody needs to hear how it ended
    processes+=("$pid")
    until [[ -e $stack/$name.up ]]; do
        if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > deadline)); then
            tail -n 20 "$stack/$name.log" >&2
            die "$name did not start"
        fi
        sleep 0.1
    done
    started=$pid
}

await_ready() { until [[ $(http_status "$1" /readyz) == 200 ]]; do sleep 0.1; done; }
