# `lab run` and `lab host`: commands in the controller's network and on a host. Sourced by `lab`.

readonly HOST_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# In the caller's own process, in the controller's network, with the hosts' names in /etc/hosts.
run_in_lab() {
    want_args 2 "$@"
    local lab=$1 dir
    shift
    [[ $1 != -- ]] || shift
    want_args 1 "$@"
    require_lab "$lab"
    cgroup_join "$(cgroup_of "$lab")/run" "$(cgroup_root)"
    # shellcheck disable=SC2016
    exec nsenter --target "$(keeper_pid "$lab")" --net -- unshare --mount -- \
        sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$dir/hosts" "$@"
}

# As root on the host; nothing of the caller's environment gets there.
run_on_host() {
    want_args 3 "$@"
    local lab=$1 host=$2 dir leader
    shift 2
    [[ $1 != -- ]] || shift
    want_args 1 "$@"
    require_lab "$lab"
    require_host "$lab" "$host"
    leader=$(host_leader "$lab" "$host") || die "the host \`$host\` is dead"
    cgroup_join "$(cgroup_of "$lab")/run" "$(cgroup_root)"
    ! director_is "$lab" "$host" || director_run "$lab" "$host" "$@"
    exec nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
        env -i PATH="$HOST_PATH" \
        HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}
