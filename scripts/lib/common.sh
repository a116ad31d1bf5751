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

# is_ours PID MARK: whether the process lives and its command line holds the mark, or its environment where the mark is NAME=VALUE. Pid files
# outlive their processes and numbers are given again, so a pid alone is never trusted.
is_ours() {
    [[ $1 =~ ^[0-9]+$ ]] || return 1
    if [[ $2 =~ ^[A-Z_]+= ]]; then grep -qszF "$2" "/proc/$1/environ"; else [[ $(cmdline "$1") == *"$2"* ]]; fi
}

# session_of PID: the process that leads its session; nothing where it is gone.
session_of() {
    local stat session
    stat=$(first_line "/proc/$1/stat" 2>/dev/null)
    IFS=' ' read -r _ _ _ session _ <<<"${stat##*) }" # behind the program's name: state, parent, group, session
    echo "$session"
}

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

# hosts_of HOST: where who listens on that host can be reached from this machine. "All addresses" is none itself.
hosts_of() {
    case $1 in
        0 | 0.0.0.0) echo 127.0.0.1 ;;
        :: | ::0 | 0:0:0:0:0:0:0:0) printf '%s\n' ::1 127.0.0.1 ;; # the second where the machine has no ::1
        *) echo "$1" ;;
    esac
}

# port_taken PORT [HOST]: whether something on this machine accepts connections there. Who wants all addresses must be the only one at the port.
port_taken() {
    local host=${2:-127.0.0.1}
    if [[ $(hosts_of "$host") == "$host" ]]; then
        # shellcheck disable=SC2016 # for the inner shell, which does not wait long for an address that nobody has
        timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$1" 2>/dev/null
    else
        { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true; } |
            awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { n++ } END { exit n == 0 }'
    fi
}

# free_port: a port nobody listens on, below the kernel's range for outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        port_taken "$port" || break
    done
    echo "$port"
}

# http_status PORT PATH [HOST]: the status code of a GET, or nothing. Bash alone, so that curl is not needed.
http_status() {
    local host
    for host in $(hosts_of "${3:-127.0.0.1}"); do
        # shellcheck disable=SC2016 # for the inner shell
        timeout 8 bash -c '
            exec 3<>"/dev/tcp/$0/$1" || exit 1
            printf "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" "$2" >&3
            IFS=" " read -r -t 3 _ code _ <&3 || exit 1
            timeout 3 cat <&3 >/dev/null || true # to its end, so that the server sees no broken connection
            echo "${code%%[^0-9]*}"' "$host" "$1" "$2" 2>/dev/null && return 0
    done
    return 1
}

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

# cut_long_logs PATH…: empties the logs there, files or in folders, that are longer than LOG_BYTES. Their last LOG_BYTES stay as NAME.log.1,
# and whoever appends to such a log goes on in it.
log_bytes=${LOG_BYTES:-10485760}
cut_long_logs() {
    local file
    { find "$@" -maxdepth 1 -type f -name '*.log' -size +"$log_bytes"c 2>/dev/null || true; } |
        while IFS= read -r file; do
            tail -c "$log_bytes" "$file" >"$file.1" || true # a full disk is no reason to go on filling it
            : >"$file"
        done
}

# withhold_password URL: the URL without its password, which PGPASSWORD then has: everybody on a machine can read command lines.
# Sets bare_url.
# shellcheck disable=SC2034 # for the caller
withhold_password() {
    bare_url=$1
    if [[ $1 =~ ^([a-z]+://[^:@/]*):([^@/]*)@(.*)$ ]]; then
        bare_url=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
        PGPASSWORD=${BASH_REMATCH[2]//\\/\\\\}
        PGPASSWORD=$(printf %b "${PGPASSWORD//%/\\x}")
        export PGPASSWORD
    fi
}
