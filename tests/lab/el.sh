# Makes a Debian root look to rpm and dnf like an EL host. Sourced by `lab`.

# What such a host has, where the root's own packages have it not.
readonly -A EL_VERSIONS=([openjdk-17-jre-headless]=17.0 [tomcat10]=10.1 [haproxy]=2.6 [nginx]=1.22)

like_el() {
    local root=$1
    cp -r --no-preserve=mode,ownership "$LAB_HOME/root/usr" "$root/"
    cp -r --no-preserve=mode,ownership "$LAB_HOME"/root/etc/{rpm,dnf} "$root/etc/"
    if chroot "$root" rpm --help | grep -q -- --force-debian; then
        mv "$root/usr/bin/rpm" "$root/usr/bin/rpm.debian"
        mv "$root/usr/share/pkg-lab/rpm" "$root/usr/bin/rpm"
        chmod 755 "$root/usr/bin/rpm"
    fi
    [[ -x $root/usr/bin/dnf ]] || ln -s dnf5 "$root/usr/bin/dnf"
    ln -sf dnf "$root/usr/bin/yum"
    rm -f "$root"/etc/dnf/plugins/*.conf
    mkdir -p "$root/etc/yum.repos.d" "$root/etc/pki/rpm-gpg" "$root/var/lib/rpm"
    el_package "$root"
}

# Builds and installs the package that provides what dpkg installed.
el_package() {
    local root=$1 spec=usr/share/pkg-lab/el-host.spec
    local -A version
    local name
    for name in bash coreutils systemd haproxy nginx; do
        version[$name]=$(el_version "$root" "$name")
    done
    version[java]=$(el_version "$root" openjdk-17-jre-headless)
    version[tomcat]=$(el_version "$root" tomcat10)
    cp "$root/$spec.in" "$root/$spec"
    for name in "${!version[@]}"; do
        sed -i "s/@$name@/${version[$name]}/" "$root/$spec"
    done
    chroot "$root" rpmbuild --quiet -bb --define '_topdir /tmp/rpmbuild' "/$spec"
    chroot "$root" sh -ec 'rpm -i /tmp/rpmbuild/RPMS/noarch/el-host-*.rpm; rm -rf /tmp/rpmbuild; rpm -q el-host'
}

# Prints the upstream version of a Debian package, without epoch and revision. Of a package that is merely mentioned by
# others, dpkg-query prints an empty one.
el_version() {
    local version
    version=$(chroot "$1" dpkg-query -W -f '${source:Upstream-Version}' "$2" 2>/dev/null) || version=
    printf '%s\n' "${version:-${EL_VERSIONS[$2]:-1}}" | sed 's/[^0-9.].*//'
}
