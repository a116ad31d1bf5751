# shellcheck shell=bash disable=SC2154 # the variables are set by scripts/stack
# The stack as containers; compose/compose.yaml says what they are.

# compose_answers: whether an engine runs and has the compose command.
compose_answers() {
    command -v docker >/dev/null && timeout 5 docker info >/dev/null 2>&1 && timeout 5 docker compose version >/dev/null 2>&1
}

# A published port has an address, never a name; and an address of IPv6 stands in brackets.
compose_run() {
    local host=${SPARQ_HTTP_HOST:-127.0.0.1} address
    address=$(getent ahosts "$host" | sed -n '1s/ .*//p') || true
    if [[ -n $address ]]; then host=$address; fi
    if [[ $host == *:* && $host != \[* ]]; then host="[$host]"; fi
    SPARQ_HTTP_HOST=$host FRONT_GRACE=$(drain_seconds front)s WORKER_GRACE=$(drain_seconds worker)s \
        docker compose --env-file "$root/.env" -f "$root/compose/compose.yaml" "$@"
}

compose_require() { compose_answers || die "no container engine with 'docker compose' answers; MODE=native needs none"; }

compose_up() {
    compose_require
    compose_run up --detach --build --wait --scale "front=$fronts" --scale "worker=$workers"
    say ""
    compose_ps
    say ""
    say "Chat:  $(chat_url "${SPARQ_HTTP_HOST:-127.0.0.1}" "${SPARQ_HTTP_PORT:-8080}")   (the load balancer; fronts are behind it)"
    say "Logs:  make logs    State: make ps    Stop: make down    Scale: make up FRONTS=3 WORKERS=5"
}

compose_ps() { compose_require; compose_run ps; }
compose_logs() { compose_require; compose_run logs --tail "${LINES_BEFORE:-20}" --follow; }
compose_down() { compose_require; compose_run down; }
compose_clean() { compose_require; compose_run down --volumes; }
