# The base: one root file system that all hosts share read-only, built by debootstrap.
# Sourced by `lab`; `base_build` runs in namespaces of its own (see cache_build).

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

# Builds the base unless there is one, and prints its path.
base_ensure() {
    cache_ensure base "$(recipe_key base.sh cache.sh el.sh root)" base_build
}

base_build() {
    local root=$1
    cache_bootstrap "$root" "$BASE_SUITE" "${BASE_PACKAGES[@]}"
    cp -r --no-preserve=mode,ownership "$LAB_HOME/root/." "$root/"
    like_el "$root"
    base_tomcat "$root"
    base_access "$root"
    base_units "$root"
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
