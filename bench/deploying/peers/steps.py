"""The steps of a deployment, for the peers that are programmed in Python."""


def steps(address, version):
    package = f"app-0:{version}-1.noarch"
    return [
        "rpm -q app",
        f"dnf -y install --downloadonly {package}",
        f"dnf -y -C --setopt=tsflags=test install {package}",
        "systemctl stop app",
        f"dnf -y -C install {package}",
        f"rpm -q app | grep -q app-{version}-1",
        "systemctl start app",
        f"curl -fs http://{address}:8080/ | grep -q 'app {version}'",
    ]
