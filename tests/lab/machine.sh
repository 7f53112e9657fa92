# What the lab needs of the machine it runs on. Sourced by `lab`.

# command:package, for the lab and for the end-to-end tests.
readonly MACHINE_NEEDS=(
    debootstrap:debootstrap systemd-nspawn:systemd-container ip:iproute2
    linux.uml:user-mode-linux unshare:util-linux nsenter:util-linux setpriv:util-linux flock:util-linux
    ssh:openssh-client ssh-keygen:openssh-client sshd:openssh-server curl:curl
    rpm:rpm rpmbuild:rpm rpmsign:rpm dnf:dnf zypper:zypper createrepo_c:createrepo-c
    rpmlint:rpmlint gpg:gpg gpg-agent:gpg-agent zip:zip zstd:zstd ps:procps dpkg-deb:dpkg python3:python3
    jsonschema:python3-jsonschema faketime:faketime
    openssl:openssl chromium-headless-shell:chromium-headless-shell
)

readonly SCHEMATHESIS=4.32.5

# Prints one line for each thing that is missing.
machine_missing() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        echo "the operating system: apt-get and dpkg are needed, as on Debian"
        return
    fi
    ((EUID == 0)) || echo "root: the lab makes namespaces, mounts and cgroups"
    local need
    for need in "${MACHINE_NEEDS[@]}"; do
        command -v "${need%%:*}" >/dev/null ||
            echo "the command \`${need%%:*}\` of the package \`${need#*:}\`: run \`lab install\`"
    done
    [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
        echo "the package \`debian-archive-keyring\`: run \`lab install\`"
    machine_has_schemathesis || echo "schemathesis $SCHEMATHESIS below $LAB_CACHE: run \`lab install\`"
    ((EUID == 0)) || return 0
    machine_missing_kernel
}

machine_missing_kernel() {
    if ! unshare --mount --net --pid --fork true 2>/dev/null; then
        echo "namespaces: \`unshare --mount --net --pid\` is refused"
    else
        unshare --net ip link add type veth 2>/dev/null || echo "veth pairs in a network namespace"
        unshare --net ip link add lab0 type bridge 2>/dev/null || echo "a bridge in a network namespace"
        unshare --net ip tuntap add dev lab0 mode tap 2>/dev/null || echo "a tap device in a network namespace (/dev/net/tun)"
        machine_has_overlay || echo "overlayfs over $LAB_RUN: set PKG_LAB_RUN to a directory on ext4, xfs or tmpfs"
    fi
    cgroup_usable || echo "a writable cgroup2 tree with cgroup.kill (Linux 5.14)"
}

machine_has_overlay() {
    local dir made=0
    dir=$LAB_RUN
    while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
    dir=$(mktemp -d "$dir/.pkg-lab-check.XXXXXX")
    mkdir "$dir"/{lower,upper,work,root}
    unshare --mount mount -t overlay overlay \
        -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work,volatile" "$dir/root" 2>/dev/null &&
        made=1
    rm -rf "$dir"
    ((made))
}

machine_check() {
    machine_require
    say "this machine can run a lab"
}

machine_require() {
    local missing
    missing=$(machine_missing)
    [[ -n $missing ]] || return 0
    say "this machine can't run a lab; missing:"
    printf '     - %s\n' "${missing//$'\n'/$'\n     - '}" >&2
    exit "$EXIT_USAGE"
}

machine_install() {
    command -v apt-get >/dev/null || die_usage "\`apt-get\` is needed, as on Debian"
    ((EUID == 0)) || die_usage "\`lab install\` needs root"
    local packages
    mapfile -t packages < <(printf '%s\n' "${MACHINE_NEEDS[@]#*:}" debian-archive-keyring python3-venv | sort -u)
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
    machine_has_schemathesis || machine_install_schemathesis
}

# What holds a server against its OpenAPI document; Debian does not have it.
machine_has_schemathesis() {
    [[ $("$LAB_CACHE/schemathesis/bin/schemathesis" --version 2>/dev/null) == *" $SCHEMATHESIS" ]]
}

machine_install_schemathesis() {
    rm -rf "$LAB_CACHE/schemathesis"
    mkdir -p "$LAB_CACHE"
    python3 -m venv "$LAB_CACHE/schemathesis"
    "$LAB_CACHE/schemathesis/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS"
}

# systemd in every host takes some inotify instances; 128 end at some 40 hosts.
machine_raise_limits() {
    local limit=/proc/sys/fs/inotify/max_user_instances
    (($(<"$limit") >= 8192)) || echo 8192 >"$limit"
}
