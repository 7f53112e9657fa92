# The bases: root file systems that hosts share read-only, one for each suite, built by debootstrap.
# Sourced by `lab`; `base_build` runs in namespaces of its own (see cache_build).

readonly BASE_SUITE=bookworm
readonly BASE_PACKAGES=(
    openssh-server sudo curl ca-certificates iproute2 procps socat less rpm
)
# What a host of each suite has besides: proxies are always of the first. The last has no systemd, as EL 6 had none.
readonly -A BASE_SUITE_PACKAGES=(
    [bookworm]='systemd systemd-sysv dbus dnf openjdk-17-jre-headless tomcat10 tomcat10-admin haproxy nginx-light apache2 ipvsadm keepalived kmod'
    [trixie]='systemd systemd-sysv dbus dnf openjdk-21-jre-headless tomcat10'
    [sid]='sysv-rc dnf5 openjdk-21-jre-headless tomcat11'
)
# Units that Debian enables or that a container has no use for.
readonly BASE_DISABLED=(tomcat10 tomcat11 haproxy nginx apache2 ipvsadm keepalived)
readonly BASE_MASKED=(
    systemd-networkd.service systemd-networkd.socket
    systemd-resolved.service systemd-timesyncd.service systemd-pstore.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
    fstrim.timer getty.target console-getty.service
    # Makes dnf's cache by itself; a test wants to know when that happens.
    dnf-makecache.timer
)

# Builds the base of a suite unless there is one, and prints its path.
base_ensure() {
    local suite=${1:-$BASE_SUITE} kind=base
    [[ -v BASE_SUITE_PACKAGES[$suite] ]] ||
        die_usage "no hosts of \`$suite\`; allowed: $(printf '%s\n' "${!BASE_SUITE_PACKAGES[@]}" | sort | xargs)"
    [[ $suite == "$BASE_SUITE" ]] || kind=base-$suite
    cache_ensure "$kind" "$(recipe_key base.sh cache.sh el.sh root)" base_build "$suite"
}

base_build() {
    local root=$1 suite=$2 packages
    read -ra packages <<<"${BASE_SUITE_PACKAGES[$suite]}"
    cache_bootstrap "$root" "$suite" "${BASE_PACKAGES[@]}" "${packages[@]}"
    # Others may have brought it along as a dependency of theirs.
    [[ " ${packages[*]} " == *" systemd-sysv "* ]] || rm -f "$root/usr/lib/systemd/systemd"
    cp -r --no-preserve=mode,ownership "$LAB_HOME/root/." "$root/"
    like_el "$root"
    base_tomcat "$root"
    base_access "$root"
    if [[ -x $root/usr/lib/systemd/systemd ]]; then
        base_units "$root"
    else
        base_scripts "$root"
    fi
    # Without a machine-id systemd takes it for the first boot and enables every unit.
    printf '%032d\n' 1 >"$root/etc/machine-id"
    rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
    : >"$root/etc/resolv.conf"
}

base_tomcat() {
    local root=$1
    [[ -d $root/etc/tomcat10/policy.d || -f $root/etc/tomcat10/server.xml ]] || base_tomcat_called_10 "$root"
    sed -i 's/autoDeploy="true"/autoDeploy="false"/' "$root/etc/tomcat10/server.xml"
    grep -q 'autoDeploy="false"' "$root/etc/tomcat10/server.xml"
    # Tomcats start faster without; a test that wants one copies its context.
    rm -f "$root"/etc/tomcat10/Catalina/localhost/*manager.xml
    # As the EL package has them; what an RPM puts in here belongs to root.
    chroot "$root" install -d -o root -g tomcat -m 0775 \
        /var/lib/tomcat10/webapps /etc/tomcat10/Catalina /etc/tomcat10/Catalina/localhost
}

# Where there is only a newer Tomcat, it goes by the name that the tests know.
base_tomcat_called_10() {
    local root=$1 name
    rm -rf "$root/etc/tomcat10"
    for name in etc usr/share var/lib var/log var/cache; do
        ln -s tomcat11 "$root/$name/tomcat10"
    done
    cp -r --no-preserve=mode,ownership "$LAB_HOME/root/etc/tomcat10/." "$root/etc/tomcat11/"
    cp --no-preserve=mode,ownership "$LAB_HOME/root/etc/default/tomcat10" "$root/etc/default/tomcat11"
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
    local unit
    for unit in "${BASE_DISABLED[@]}"; do
        rm -f "$root"/etc/systemd/system/*.wants/"$unit.service"
    done
    chroot "$root" systemctl mask "${BASE_MASKED[@]}"
    chroot "$root" systemctl set-default multi-user.target
}

# Services by scripts in /etc/init.d.
base_scripts() {
    local root=$1
    install -m 0755 "$root/usr/share/pkg-lab/tomcat10.init" "$root/etc/init.d/tomcat10"
    rm -f "$root/sbin/init"
    install -m 0755 "$root/usr/share/pkg-lab/init" "$root/sbin/init"
    rm -f "$root"/etc/rc?.d/*
    chroot "$root" update-rc.d ssh defaults
}
