# The base: one root file system that all hosts share read-only, built by debootstrap.
# Sourced by `lab`; `base_build_root` runs in namespaces of its own (see base_build).

readonly BASE_SUITE=bookworm
readonly BASE_PACKAGES=(
    systemd systemd-sysv openssh-server sudo curl ca-certificates
    dbus iproute2 procps socat less dnf rpm
    openjdk-17-jre-headless tomcat10 haproxy nginx-light
)
# Units that Debian enables or that a container has no use for.
readonly BASE_DISABLED=(tomcat10.service haproxy.service nginx.service)
readonly BASE_MASKED=(
    systemd-networkd.service systemd-networkd.socket
    systemd-resolved.service systemd-timesyncd.service systemd-pstore.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
    fstrim.timer getty.target console-getty.service
    # Makes dnf's cache by itself; a test wants to know when that happens.
    dnf-makecache.timer
)

# Names the recipe: whatever shapes the root is in here.
base_key() {
    (
        cd "$LAB_HOME"
        sha256sum base.sh
        find root -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    ) | sha256sum | cut -c1-12
}

base_path() {
    printf '%s/base-%s\n' "$LAB_CACHE" "$(base_key)"
}

# Builds the base unless there is one, and prints its path.
base_ensure() {
    local path
    path=$(base_path)
    if [[ ! -d $path ]]; then
        machine_require
        mkdir -p "$LAB_CACHE"
        local lock
        exec {lock}>"$LAB_CACHE/base.lock"
        flock -n "$lock" || { say "waiting for another build of the base"; flock "$lock"; }
        [[ -d $path ]] || base_build "$path"
        exec {lock}>&-
    fi
    touch "$path"
    printf '%s\n' "$path"
}

# Builds into a temporary directory and renames it: what has the name is whole.
# The build has its own mount and process namespaces and dies with this shell,
# so that a killed build leaves neither mounts nor processes.
base_build() {
    local path=$1 tmp
    base_sweep
    tmp=$(mktemp -d "$LAB_CACHE/base.tmp.XXXXXX")
    say "building the base $path (log: $LAB_CACHE/base.log)"
    if ! setpriv --pdeathsig KILL -- \
        unshare --mount --pid --fork --kill-child --mount-proc -- \
        "$LAB_HOME/lab" _base-build "$tmp" >"$LAB_CACHE/base.log" 2>&1 </dev/null; then
        tail -n 20 "$LAB_CACHE/base.log" >&2
        rm -rf --one-file-system "$tmp"
        die "the base could not be built"
    fi
    mv -T "$tmp" "$path"
}

# Removes what killed builds left, and bases unused for two weeks.
# The caller holds the build lock; a lab in use holds a shared lock on its base.
base_sweep() {
    local old
    for old in "$LAB_CACHE"/base.tmp.*; do
        [[ -d $old ]] && rm -rf --one-file-system "$old"
    done
    while IFS= read -r -d '' old; do
        flock -xn "$old" mv -T "$old" "$LAB_CACHE/base.tmp.old" || continue
        rm -rf --one-file-system "$LAB_CACHE/base.tmp.old"
    done < <(find "$LAB_CACHE" -maxdepth 1 -type d -name 'base-*' -mtime +14 -print0)
}

# The mirror that this machine's apt uses for the suite.
base_mirror() {
    if [[ -n ${PKG_LAB_MIRROR:-} ]]; then
        printf '%s\n' "$PKG_LAB_MIRROR"
        return
    fi
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN)' 'Created-By: Packages' |
        awk -v suite="$BASE_SUITE" '$2 == suite && $3 == "Debian" { print $1; found = 1; exit }
            END { exit !found }' ||
        die "apt knows no Debian mirror with \`$BASE_SUITE\`" \
            "run \`apt-get update\`, or name one in PKG_LAB_MIRROR"
}

base_build_root() {
    local root=$1 mirror proxy=
    mirror=$(base_mirror)
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy ]] || export http_proxy=$proxy
    mkdir -p "$LAB_CACHE/debs"
    base_bootstrap "$root" "$mirror"
    cp -r --no-preserve=mode,ownership "$LAB_HOME/root/." "$root/"
    base_like_el "$root"
    base_tomcat "$root"
    base_access "$root"
    base_units "$root"
    chmod 755 "$root"
}

base_bootstrap() {
    local root=$1 mirror=$2 include
    include=$(IFS=,; printf '%s' "${BASE_PACKAGES[*]}")
    debootstrap --variant=minbase --include="$include" --cache-dir="$LAB_CACHE/debs" \
        "$BASE_SUITE" "$root" "$mirror"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
        "$root"/usr/share/{doc,man,locale}/*
}

base_like_el() {
    local root=$1
    mv "$root/usr/bin/rpm" "$root/usr/bin/rpm.debian"
    mv "$root/usr/share/pkg-lab/rpm" "$root/usr/bin/rpm"
    chmod 755 "$root/usr/bin/rpm"
    ln -sf dnf "$root/usr/bin/yum"
    rm -f "$root"/etc/dnf/plugins/*.conf
    mkdir -p "$root/etc/yum.repos.d" "$root/etc/pki/rpm-gpg" "$root/var/lib/rpm"
    base_el_package "$root"
}

# Builds and installs the package that provides what dpkg installed.
base_el_package() {
    local root=$1 spec=usr/share/pkg-lab/el-host.spec
    local -A version
    local name
    for name in bash coreutils systemd haproxy nginx; do
        version[$name]=$(base_version "$root" "$name")
    done
    version[java]=$(base_version "$root" openjdk-17-jre-headless)
    version[tomcat]=$(base_version "$root" tomcat10)
    cp "$root/$spec.in" "$root/$spec"
    for name in "${!version[@]}"; do
        sed -i "s/@$name@/${version[$name]}/" "$root/$spec"
    done
    chroot "$root" rpmbuild --quiet -bb --define '_topdir /tmp/rpmbuild' "/$spec"
    chroot "$root" sh -ec 'rpm -i /tmp/rpmbuild/RPMS/noarch/el-host-*.rpm; rm -rf /tmp/rpmbuild; rpm -q el-host'
}

# Prints the upstream version of a Debian package, without epoch and revision.
base_version() {
    chroot "$1" dpkg-query -W -f '${source:Upstream-Version}' "$2" | sed 's/[^0-9.].*//'
}

base_tomcat() {
    local root=$1
    sed -i 's/autoDeploy="true"/autoDeploy="false"/' "$root/etc/tomcat10/server.xml"
    grep -q 'autoDeploy="false"' "$root/etc/tomcat10/server.xml"
    # As the EL package has them; what an RPM puts in here belongs to root.
    chroot "$root" install -d -o root -g tomcat -m 0775 \
        /var/lib/tomcat10/webapps /etc/tomcat10/Catalina /etc/tomcat10/Catalina/localhost
}

base_access() {
    local root=$1
    rm -f "$root"/etc/ssh/ssh_host_*
    chmod 0440 "$root/etc/sudoers.d/deploy"
    chroot "$root" useradd --create-home --shell /bin/bash deploy
    install -d -m 0700 "$root/home/deploy/.ssh"
    chroot "$root" chown -R deploy:deploy /home/deploy/.ssh
}

base_units() {
    local root=$1
    chroot "$root" systemctl disable "${BASE_DISABLED[@]}"
    chroot "$root" systemctl mask "${BASE_MASKED[@]}"
    chroot "$root" systemctl set-default multi-user.target
    # Without a machine-id systemd takes it for the first boot and enables every unit.
    printf '%032d\n' 1 >"$root/etc/machine-id"
    rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
    : >"$root/etc/resolv.conf"
}
