# `lab down` and `lab status`. Sourced by `lab`.

down() {
    want_args 1 "$@"
    local lab
    if [[ $1 == --all ]]; then
        while IFS= read -r lab; do down_one "$lab"; done < <(lab_names)
    else
        for lab; do down_one "$lab"; done
    fi
}

down_one() {
    lab_dir "$1" >/dev/null || exit
    lock_lab "$1"
    down_locked "$1"
    unlock_lab "$1"
}

# For the watcher: not if another `up` has replaced the lab meanwhile.
down_instance() {
    local lab=$1 instance=$2
    lock_lab "$lab"
    if [[ $(cat "$(lab_dir "$lab")/instance" 2>/dev/null) == "$instance" ]]; then
        down_locked "$lab"
    fi
    unlock_lab "$lab"
}

# Processes first: the namespaces, the mounts and the cables go with them.
down_locked() {
    local lab=$1 dir
    dir=$(lab_dir "$lab")
    cgroup_end "$(cgroup_of "$lab")"
    rm -rf --one-file-system "$dir"
}

lab_names() {
    find "$LAB_RUN" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort
}

status() {
    local lab
    if (($#)); then
        [[ -d $(lab_dir "$1") ]] || die "no lab \`$1\`"
        status_of "$1"
        return
    fi
    while IFS= read -r lab; do status_of "$lab"; done < <(lab_names)
}

status_of() {
    local lab=$1 dir state host address role suite servers owner=
    dir=$(lab_dir "$lab")
    state=$(cat "$dir/state" 2>/dev/null || echo broken)
    keeper_alive "$lab" || [[ $state == starting ]] || state=broken
    [[ ! -f $dir/owner ]] || owner=" owner $(cut -d' ' -f1 "$dir/owner")"
    echo "$lab $state$owner"
    [[ -f $dir/roster ]] || return 0
    while read -r host address role suite servers; do
        [[ $suite == "$BASE_SUITE" ]] || role=$role@$suite
        printf '  %-15s %-11s %-5s %s\n' "$host" "$address" "$(status_host "$lab" "$host")" \
            "$role${servers:+:$servers}"
    done <"$dir/roster"
}

status_host() {
    if ! keeper_alive "$1" || ! host_leader "$1" "$2" >/dev/null; then
        echo dead
    elif nsenter --target "$(keeper_pid "$1")" --net ip -details -oneline link show dev "$2" 2>/dev/null |
        grep -q 'bridge_slave state forwarding'; then
        echo up
    else
        echo cut
    fi
}
