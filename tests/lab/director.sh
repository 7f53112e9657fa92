# A director: a host that LVS runs on. LVS is a part of the kernel, and the machine's may be without it or without
# modules; so a director has a kernel of its own, a User-Mode Linux: an ordinary process, with the host's disk as its root
# and a tap device for its cable. Sourced by `lab`.

# What clients of LVS are told. The directors send on what comes here as it is (direct routing), so that the servers have
# the address, too, and tell nobody.
readonly VIRTUAL_ADDRESS=10.77.0.251

# The hosts behind directors.
director_servers() {
    awk '$3 == "lvs" { gsub(",", "\n", $5); print $5 }' "$(lab_dir "$1")/roster" | sort -u
}

director_is() {
    [[ $(roster_field "$1" "$2" role) == lvs ]]
}

# The first director of a lab has the virtual address; others are there to get it from them.
director_prepare() {
    local lab=$1 host=$2 root=$3 port servers
    servers=$(roster_field "$lab" "$host" servers)
    port=$(role_port "$(roster_field "$lab" "${servers%%,*}" role)")
    port=${port:-80}
    install -m 0755 "$LAB_HOME/director-init" "$root/sbin/director-init"
    director_rules "$lab" "$servers" "$port" >"$root/etc/ipvsadm.rules"
    [[ $(awk '$3 == "lvs" { print $1; exit }' "$(lab_dir "$lab")/roster") != "$host" ]] ||
        echo "$VIRTUAL_ADDRESS" >"$root/etc/virtual-address"
}

# As `ipvsadm-save -n` prints them.
director_rules() {
    local lab=$1 servers=$2 port=$3 server
    echo "-A -t $VIRTUAL_ADDRESS:$port -s wlc"
    for server in ${servers//,/ }; do
        echo "-a -t $VIRTUAL_ADDRESS:$port -r $(roster_field "$lab" "$server" address):$port -g -w 1"
    done
}

director_cable() {
    local host=$1
    ip link del "$host" 2>/dev/null || true
    ip tuntap add dev "$host" mode tap
    ip link set "$host" master lab0 up
}

# Becomes the director's kernel. Its memory is a file below TMPDIR. All packets pass through it: it does not wait its turn.
director_exec() {
    local lab=$1 host=$2 dir address
    dir=$(lab_dir "$lab")
    address=$(roster_field "$lab" "$host" address)
    mkdir -p "$dir/ns/uml"
    rm -rf "$dir/ns/uml/$host"
    export TMPDIR=$dir/ns
    exec setsid nice -n -5 linux.uml mem=128M uml_dir="$dir/ns/uml" umid="$host" quiet con=null con0=null,fd:1 ssl=null \
        rootfstype=hostfs rootflags="$dir/disk/$host/root" root=/dev/root rw init=/sbin/director-init \
        vec0:transport=tap,ifname="$host",mac="$(host_mac "$address")" lab_host="$host" lab_address="$address"
}

# A server of a director takes what is sent to the virtual address, and answers no ARP request for it.
director_serve() {
    nsenter --net="$1" sh -ec "ip addr add $VIRTUAL_ADDRESS/32 dev lo
        echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
        echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce"
}

# Other hosts are entered by their namespaces; a director's are its own kernel's.
director_run() {
    local lab=$1 host=$2 dir
    shift 2
    dir=$(lab_dir "$lab")
    exec nsenter --target "$(keeper_pid "$lab")" --net -- ssh -q -F "$dir/ssh_config" "$host" \
        "exec sudo -n env -i PATH=$HOST_PATH HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8$(printf ' %q' "$@")"
}
