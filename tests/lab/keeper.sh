# The keeper: a process that holds the mount and network namespace of a lab's controller.
# Hosts' disks are mounted in there alone, so that they go when the processes go.
# And the watcher, which takes a lab down when its owner dies. Sourced by `lab`.

keeper_alive() {
    local pid
    pid=$(<"$(lab_dir "$1")/keeper.pid") && cgroup_has "$(cgroup_of "$1")" "$pid"
} 2>/dev/null

keeper_pid() {
    cat "$(lab_dir "$1")/keeper.pid"
}

keeper_start() {
    local lab=$1 dir pid waited=0
    dir=$(lab_dir "$lab")
    (
        detach
        cgroup_join "$(cgroup_of "$lab")/keeper" "$(cgroup_root)"
        exec setsid unshare --mount --net --propagation private -- "$LAB_HOME/lab" _keep "$lab"
    ) </dev/null >"$dir/keeper.log" 2>&1 &
    pid=$!
    disown
    while [[ ! -f $dir/keeper.pid ]]; do
        nap
        if ((++waited >= 500)) || [[ ! -d /proc/$pid ]]; then
            die "the lab's network can't be made" "$(tail -n 3 "$dir/keeper.log")"
        fi
    done
}

keeper_main() {
    local dir base
    dir=$(lab_dir "$1")
    ip link set lo up
    ip link add lab0 type bridge
    ip addr add "$CONTROLLER_ADDRESS/24" dev lab0
    ip link set lab0 up
    mkdir -p "$dir/ns" /run/systemd
    mount -t tmpfs -o mode=700 pkg-lab "$dir/ns"
    # nspawn's own records, which it leaves behind.
    mount -t tmpfs -o mode=755 pkg-lab /run/systemd
    # The sweep of old bases passes by one that is locked.
    exec {base}<"$(<"$dir/base")"
    flock --shared "$base"
    echo "$$" >"$dir/keeper.pid.new"
    mv "$dir/keeper.pid.new" "$dir/keeper.pid"
    exec sleep infinity
}

# Runs a command of `lab` in the keeper's namespaces.
in_keeper() {
    local lab=$1
    shift
    nsenter --target "$(keeper_pid "$lab")" --mount --net -- "$LAB_HOME/lab" "$@"
}

watcher_start() {
    local lab=$1 owner=$2 dir start home
    dir=$(lab_dir "$lab")
    start=$(process_start "$owner")
    [[ -n $start ]] || die_usage "the owner $owner is no running process"
    echo "$owner $start" >"$dir/owner"
    home=$3
    (
        detach
        cgroup_join "$(cgroup_of "$lab")/watcher" "$(cgroup_root)"
        exec setsid "$LAB_HOME/lab" _watch "$lab" "$owner" "$start" "$(<"$dir/instance")" "$home"
    ) </dev/null >/dev/null 2>&1 &
    disown
}

# Waits for the owner's end, leaves the lab's cgroup (`down` kills all in there), takes it down.
keeper_watch() {
    local lab=$1 owner=$2 start=$3 instance=$4 home=$5
    while [[ $(process_start "$owner") == "$start" ]]; do nap 0.2; done
    cgroup_join "${home#/}" "$(cgroup_root)"
    down_instance "$lab" "$instance"
}
