# A lab's directory under the run directory, and the lock on its name. Sourced by `lab`.
#
#   ssh_key, known_hosts, ssh_config, hosts.json   for whoever uses the lab
#   hosts          /etc/hosts for the hosts and for `lab run`
#   roster         one line per host: name address role suite servers
#   instance       changes with every `up`
#   state          starting or up
#   base           the base that most hosts stand on
#   bases/HOST     the base of a host of another suite
#   keeper.pid, keeper.log, owner, check_path
#   disk/HOST/{upper,work,root}, console/HOST.log, pid/HOST, ns/HOST

readonly CONTROLLER_ADDRESS=10.77.0.1

lab_dir() {
    [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,31}$ ]] ||
        die_usage "\`$1\` is no name for a lab; allowed: lower-case letters, digits and \`-\`, up to 32"
    printf '%s/%s\n' "$LAB_RUN" "$1"
}

# Sets `dir` of the caller; exits if there is no such lab up.
require_lab() {
    dir=$(lab_dir "$1")
    [[ -d $dir ]] || die "no lab \`$1\`" "start it with \`lab up $1 HOST=ROLE…\`"
    keeper_alive "$1" || die "the lab \`$1\` is broken" "\`lab up\` repairs it, \`lab down $1\` clears it"
}

require_host() {
    awk -v host="$2" '$1 == host { found = 1 } END { exit !found }' "$(lab_dir "$1")/roster" ||
        die_usage "the lab \`$1\` has no host \`$2\`"
}

# Prints the field (address, role, suite, servers) of a host.
roster_field() {
    local lab=$1 host=$2 field=$3
    awk -v host="$host" -v field="$field" '
        BEGIN { column["address"] = 2; column["role"] = 3; column["suite"] = 4; column["servers"] = 5 }
        $1 == host { print $column[field] }' "$(lab_dir "$lab")/roster"
}

roster_hosts() {
    cut -d' ' -f1 "$(lab_dir "$1")/roster"
}

# Takes the lock on a lab's name into the descriptor LOCK. The file goes with the lab,
# so that the one locked may be gone by then: in that case once more.
lock_lab() {
    local file
    file=$LAB_RUN/.lock-$(basename "$(lab_dir "$1")")
    while :; do
        mkdir -p "$LAB_RUN"
        exec {LOCK}>"$file" || continue
        flock "$LOCK"
        [[ $file -ef /proc/self/fd/$LOCK ]] && return
        exec {LOCK}>&-
    done
}

# Lets go of the lock; removes its file if the lab is gone.
unlock_lab() {
    local dir
    dir=$(lab_dir "$1")
    if [[ ! -d $dir ]]; then
        rm -f "$LAB_RUN/.lock-$1"
        rmdir "$LAB_RUN" 2>/dev/null || true
    fi
    exec {LOCK}>&-
}

# Cuts this shell off its caller: nobody who reads our output to its end may wait for it.
detach() {
    local fd
    for fd in /proc/"$BASHPID"/fd/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == 255)) || eval "exec $fd>&-"
    done
    unset NAP_FD
    trap - EXIT INT TERM HUP
    cd /
}

# Field 22 of /proc/PID/stat: with it a process id can't be mistaken for a later one.
# Prints nothing for one that is gone or a zombie.
process_start() {
    local stat
    stat=$(<"/proc/$1/stat") || return 0
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 == [ZX] ]] || printf '%s\n' "${20}"
} 2>/dev/null
