# One host: its disk, its cable, its life and death. Sourced by `lab`.
# What ends in `_inside` runs in the keeper's namespaces.

host_cgroup() {
    printf '%s/host-%s\n' "$(cgroup_of "$1")" "$2"
}

# The process id of the host's PID 1, or of a director's kernel, if it lives.
host_leader() {
    local lab=$1 host=$2 supervisor pid
    supervisor=$(<"$(lab_dir "$lab")/pid/$host") || return 1
    cgroup_has "$(host_cgroup "$lab" "$host")" "$supervisor" || return 1
    if director_is "$lab" "$host"; then
        echo "$supervisor"
        return
    fi
    for pid in $(<"/proc/$supervisor/task/$supervisor/children"); do
        if grep -Eq '^NSpid:.*\s1$' "/proc/$pid/status"; then
            echo "$pid"
            return
        fi
    done
    return 1
} 2>/dev/null

# Starts a host and waits until it serves what its role says.
host_start() {
    in_keeper "$1" _host-start "$1" "$2" &&
        in_keeper "$1" _host-ready "$1" "$2"
}

host_start_inside() {
    local lab=$1 host=$2 dir disk base
    dir=$(lab_dir "$lab")
    disk=$dir/disk/$host
    base=$(cat "$dir/bases/$host" 2>/dev/null || cat "$dir/base")
    if ! mountpoint -q "$disk/root"; then
        # `volatile` spares every fsync: a lab's disk needs to survive nothing but its host.
        mount -t overlay "lab-$host" -o "lowerdir=$base,upperdir=$disk/upper,workdir=$disk/work,volatile" \
            "$disk/root"
        role_prepare "$lab" "$host" "$disk/root"
    fi
    host_cable "$lab" "$host"
    (
        detach
        # Without a cgroup of its own the host would share its payload with all others.
        mapfile -t roots < <(cgroup_roots)
        cgroup_join "$(host_cgroup "$lab" "$host")" "${roots[@]}"
        ! director_is "$lab" "$host" || director_exec "$lab" "$host"
        # From 256 on systemd refuses a machine of this kind of control groups, unless it is told on its command line.
        exec setsid systemd-nspawn --quiet --boot --register=no --keep-unit --settings=no \
            --machine="lab-$lab-$host" --hostname="$host" --directory="$disk/root" \
            --network-namespace-path="$dir/ns/$host" --resolv-conf=off --timezone=off \
            --link-journal=no --console=pipe SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
    ) </dev/null >>"$dir/console/$host.log" 2>&1 &
    echo "$!" >"$dir/pid/$host"
}

# A new network namespace for the host, and a cable from it to the bridge.
host_cable() {
    local lab=$1 host=$2 ns address
    ns=$(lab_dir "$lab")/ns/$host
    address=$(roster_field "$lab" "$host" address)
    host_uncable "$ns"
    if director_is "$lab" "$host"; then
        director_cable "$host"
        return
    fi
    : >"$ns"
    unshare --net="$ns" true
    ip link add "$host" type veth peer name eth0 address "$(host_mac "$address")" netns "$ns"
    ip link set "$host" master lab0 up
    nsenter --net="$ns" sh -ec "ip link set lo up; ip addr add $address/24 dev eth0; ip link set eth0 up"
    ! director_servers "$lab" | grep -qx "$host" || director_serve "$ns"
}

# The same at every boot: the others' ARP tables outlive the host.
host_mac() {
    printf '02:00:0a:4d:00:%02x\n' "${1##*.}"
}

host_uncable() {
    local ns=$1
    # The bridge's end goes at once; the namespace's own end is slow, and left to the kernel.
    ip link del "${ns##*/}" 2>/dev/null || true
    # nspawn has it open for as long as the host lives.
    umount --lazy "$ns" 2>/dev/null || true
    rm -f "$ns"
}

# Waits for sshd and for what the role serves.
host_ready_inside() {
    local lab=$1 host=$2 address port deadline=$((SECONDS + 60))
    address=$(roster_field "$lab" "$host" address)
    port=$(role_port "$(roster_field "$lab" "$host" role)")
    until host_has_sshd "$address"; do
        host_still_starts "$lab" "$host" "$deadline"
    done
    [[ -n $port ]] || return 0
    until host_serves "http://$address:$port/"; do
        host_still_starts "$lab" "$host" "$deadline"
    done
}

# Bounded: the kernel waits ever longer between its attempts to connect.
host_has_sshd() {
    timeout 1 bash -c 'read -r banner <"/dev/tcp/$0/22" && [[ $banner == SSH-* ]]' "$1" 2>/dev/null
}

# Any answer will do: a balancer whose servers have no application yet says 503,
# or hangs up (52 and 56) if it balances connections.
host_serves() {
    local rc=0
    curl --silent --max-time 2 --output /dev/null "$1" || rc=$?
    ((rc == 0 || rc == 52 || rc == 56))
}

host_still_starts() {
    local lab=$1 host=$2 deadline=$3 supervisor
    supervisor=$(<"$(lab_dir "$lab")/pid/$host")
    [[ -d /proc/$supervisor ]] || die "the host \`$host\` died while it started"
    ((SECONDS < deadline)) || die "the host \`$host\` is not ready after 60 s"
    nap 0.05
}

host_cut() { host_link "$1" "$2" down; }
host_mend() { host_link "$1" "$2" up; }

host_link() {
    want_args 3 "$@"
    local dir
    require_lab "$1"
    require_host "$1" "$2"
    in_keeper "$1" _host-link "$2" "$3"
}

host_link_inside() {
    ip link show dev "$1" >/dev/null 2>&1 || die "the host \`$1\` is dead"
    # A director's kernel gives up a tap device for good that it could not write to once: that stays up, and its bridge
    # passes nothing on.
    if ip -details link show dev "$1" | grep -qw 'tun type tap'; then
        bridge link set dev "$1" state "$([[ $2 == up ]] && echo forwarding || echo disabled)"
    else
        ip link set "$1" "$2"
    fi
}

# Pulls cable and power at once: nobody gets a FIN or a RST.
host_kill() {
    want_args 2 "$@"
    local dir
    require_lab "$1"
    require_host "$1" "$2"
    host_leader "$1" "$2" >/dev/null || die "the host \`$2\` is dead already"
    in_keeper "$1" _host-unplug "$1" "$2"
    cgroup_end "$(host_cgroup "$1" "$2")"
}

host_boot() {
    want_args 2 "$@"
    local dir
    require_lab "$1"
    require_host "$1" "$2"
    ! host_leader "$1" "$2" >/dev/null || die "the host \`$2\` is running"
    cgroup_end "$(host_cgroup "$1" "$2")"
    host_start "$1" "$2"
}
