# shellcheck shell=sh
# Prints what rpm knows of installed packages, for whoever holds it against the repository; changes nothing.
# NAMES (that packages may have)
for name in $NAMES; do
    rpm -q --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' "$name" >/dev/null 2>&1 || continue
    rpm -q --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' "$name" | while read -r package; do
        rpm -q --qf 'package %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' "$package" | head -n 1
        # The digest of the header as it is in rpm's database, not the one that the database says it has. rpm takes it over these
        # eight bytes and the part that never changes (rpm's lib/header.c, rpm_header_magic).
        digest=$({ printf '\216\255\350\001\000\000\000\000'
            rpm -q --qf '%{HEADERIMMUTABLE:base64}\n' "$package" | base64 -d; } | sha256sum)
        echo "header ${digest%% *}"
        echo "files $(rpm -ql "$package" | grep -c ^/)"
        rpm -V --nodeps --noscripts "$package" 2>/dev/null | awk '$2 != "g" { print "differs", $0 }'
    done
done
# The keys that the host takes packages of: rpm 6 has a command for them.
rpmkeys --export 2>/dev/null | grep -q BEGIN && rpmkeys --export 2>/dev/null | sed 's/^/key /'
rpm -q gpg-pubkey --qf '%{DESCRIPTION}\n' 2>/dev/null | sed -n '/^-----BEGIN/,/^-----END/s/^/key /p'
exit 0
