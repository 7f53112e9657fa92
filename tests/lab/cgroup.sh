# The lab's cgroups: all that a lab runs is below one of them, so that one write ends it all,
# whatever became of the shell that started it. Sourced by `lab`.
#
# On a hybrid machine systemd-nspawn also wants a cgroup in the old `name=systemd` tree.

# The mount point of the cgroup2 tree.
cgroup_root() {
    if [[ -f /sys/fs/cgroup/cgroup.procs && -f /sys/fs/cgroup/cgroup.controllers ]]; then
        echo /sys/fs/cgroup
    else
        echo /sys/fs/cgroup/unified
    fi
}

# Both trees, where there are two.
cgroup_roots() {
    cgroup_root
    [[ ! -f /sys/fs/cgroup/systemd/cgroup.procs ]] || echo /sys/fs/cgroup/systemd
}

cgroup_usable() {
    local probe
    probe=$(cgroup_root)/pkg-lab-check.$BASHPID
    mkdir "$probe" 2>/dev/null || return 1
    local usable=0
    [[ ! -e $probe/cgroup.kill ]] || usable=1
    rmdir "$probe"
    ((usable))
}

# The path below a cgroup tree for a lab. Another run directory has other labs.
cgroup_of() {
    local lab=$1 prefix=
    [[ $LAB_RUN == /run/pkg-lab ]] || prefix=$(cksum <<<"$LAB_RUN" | cut -d' ' -f1).
    printf 'pkg-lab/%s%s\n' "$prefix" "$lab"
}

# Moves this shell into a cgroup, in the trees given.
cgroup_join() {
    local group=$1 root
    shift
    for root; do
        mkdir -p "$root/$group"
        echo "$BASHPID" >"$root/$group/cgroup.procs"
    done
}

# The cgroup2 path of a process, with a slash in front.
cgroup_now() {
    sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null
}

# Tells whether the process is there and below the cgroup: a process id alone may be reused.
cgroup_has() {
    local group=$1 pid=$2 now
    now=$(cgroup_now "$pid") && [[ $now/ == "/$group/"* ]]
}

# Kills all below the cgroup, waits for the last to be gone, and removes the tree.
cgroup_end() {
    local group=$1 root waited=0
    root=$(cgroup_root)
    if [[ -d $root/$group ]]; then
        while grep -qx 'populated 1' "$root/$group/cgroup.events"; do
            echo 1 >"$root/$group/cgroup.kill"
            nap
            ((++waited < 1000)) || die "the processes in \`$group\` don't die"
        done
    fi
    while IFS= read -r root; do
        cgroup_remove "$root/$group"
        rmdir "$root/pkg-lab" 2>/dev/null || true
    done < <(cgroup_roots)
}

# Removes an empty tree of cgroups; the kernel may take a moment to see it empty.
cgroup_remove() {
    local tree=$1 tries
    for ((tries = 0; tries < 200; tries++)); do
        [[ -d $tree ]] || return 0
        find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [[ ! -d $tree ]] || nap
    done
    die "the cgroup \`$tree\` can't be removed"
}

# Sleeps for 20 ms without a process.
nap() {
    if [[ -z ${NAP_FD:-} ]]; then
        exec {NAP_FD}<> <(:)
    fi
    read -r -t "${1:-0.02}" -u "$NAP_FD" || true
}
