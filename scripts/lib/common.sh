# shellcheck shell=bash
# What all scripts share: words to the user, processes, ports, waiting. Sourced, never run.

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "error: $*"; exit 1; }

# random_word BYTES: hexadecimal, fit for a password in a URL.
random_word() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# short_hash TEXT: twelve characters that differ for each text.
short_hash() { printf '%s' "$1" | sha256sum | cut -c1-12; }

# cmdline PID: the arguments of a process, separated by blanks; nothing where it is gone or a zombie.
cmdline() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true; }

# is_ours PID MARK: whether the process lives and its command line holds the mark. Pid files outlive their
# processes and numbers are given again, so a pid alone is never trusted.
is_ours() { [[ $1 =~ ^[0-9]+$ && $(cmdline "$1") == *"$2"* ]]; }

# wait_gone PID MARK SECONDS: waits until the process has ended; fails where it has not.
wait_gone() {
    local deadline=$((SECONDS + $3))
    while is_ours "$1" "$2"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# await_end PID MARK SECONDS: waits for a process that was asked to end, and kills it when it has not by then.
await_end() {
    wait_gone "$1" "$2" "$3" && return 0
    warn "process $1 did not end within $3 s: killing it"
    kill -KILL "$1" 2>/dev/null || true
    wait_gone "$1" "$2" 10
}

# end_process PID MARK SIGNAL SECONDS: asks a process of ours to end, once, and sees to it that it does.
end_process() {
    is_ours "$1" "$2" || return 0
    kill "-$3" "$1" 2>/dev/null || true
    await_end "$1" "$2" "$4"
}

# processes_with LINK PATH: the processes whose /proc link (exe or cwd) begins with the path. What a process runs, and where, is
# known even where nobody wrote down that it was started. One process looks at all of them, as a busy machine has many.
processes_with() {
    local entry target
    { find /proc -mindepth 2 -maxdepth 2 -path "/proc/[0-9]*/$1" -printf '%h %l\n' 2>/dev/null || true; } |
        while IFS=' ' read -r entry target; do
            if [[ $target == "$2"* ]]; then echo "${entry#/proc/}"; fi
        done
}

# end_all SECONDS LISTER [ARGUMENT…]: asks the processes that the lister finds to end, each once, also those that appear meanwhile;
# kills what is there after so many seconds.
end_all() {
    local deadline=$((SECONDS + $1)) pid asked=' ' pids
    shift
    while :; do
        mapfile -t pids < <("$@")
        ((${#pids[@]} > 0)) || return 0
        ((SECONDS < deadline + 10)) || die "processes ${pids[*]} do not end"
        for pid in "${pids[@]}"; do
            if ((SECONDS >= deadline)); then
                kill -KILL "$pid" 2>/dev/null || true
            elif [[ $asked != *" $pid "* ]]; then
                asked+="$pid "
                kill -TERM "$pid" 2>/dev/null || true
            fi
        done
        sleep 0.1
    done
}

# vacate LOCK LISTER: ends what the lister finds until nobody holds the lock. Who runs on a folder holds its lock, from before it is
# forked to its end; the lister sees it a moment later.
vacate() {
    local deadline=$((SECONDS + 30))
    until end_all 5 "$2" && flock -n "$1" true; do
        ((SECONDS < deadline)) || die "a process that is out of sight here holds $1"
        sleep 0.1
    done
}

# port_taken PORT: whether something on this machine accepts connections there.
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: a port nobody listens on, below the kernel's range for outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        port_taken "$port" || break
    done
    echo "$port"
}

# http_status PORT PATH: the status code of a GET, or nothing. Bash alone, so that curl is not needed.
http_status() (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    IFS=' ' read -r -t 3 _ code _ <&3 || exit 1
    timeout 3 cat <&3 >/dev/null || true # to its end, so that the server sees no broken connection
    echo "${code%$'\r'}"
)

# first_line FILE: its first line, or nothing where it is not there.
first_line() {
    local line=
    if [[ -r $1 ]]; then IFS= read -r line <"$1" || true; fi
    echo "$line"
}

# raise_open_files: as many as the hard limit allows; the broker sizes tables by it, so not beyond 65536.
raise_open_files() {
    local hard
    hard=$(ulimit -Hn)
    if [[ $hard == unlimited ]] || ((hard > 65536)); then hard=65536; fi
    ulimit -Sn "$hard" 2>/dev/null || true
}
