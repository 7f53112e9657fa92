# shellcheck shell=sh
# Prints what is known of the host, one fact a line; changes nothing.
# ENVIRONMENT NAMES (that packages may have) SERVICE REPOSITORIES OFFERS (yes: ask the repositories, too)
offered() {
    package='%{name}-%{epoch}:%{version}-%{release}.%{arch}'
    # shellcheck disable=SC2086 # a list, split on purpose
    case $MANAGER in
    dnf4) manager_fresh -q repoquery --qf "$package %{installsize} %{downloadsize}" $NAMES ;;
    dnf5) manager_fresh -q repoquery --qf "$package %{installsize} %{downloadsize}\n" $NAMES ;;
    # Lines that are too wide are broken; `list` fails where nothing is found.
    *)
        manager_fresh -q makecache fast >/dev/null || return 1
        manager -C -q --showduplicates list available $NAMES 2>/dev/null | awk '
            { for (i = 1; i <= NF; i++) word[++count] = $i }
            END {
                for (i = 3; i + 2 <= count; i += 3) {
                    dot = match(word[i], /\.[^.]*$/)
                    version = word[i + 1] ~ /:/ ? word[i + 1] : "0:" word[i + 1]
                    print substr(word[i], 1, dot - 1) "-" version substr(word[i], dot)
                }
            }'
        ;;
    esac
}

if [ "$(id -u)" != 0 ]; then
    echo "not root: set \`sudo = true\` under [ssh], or log in as root" >&2
    exit 1
fi
if command -v dnf >/dev/null || command -v dnf5 >/dev/null; then
    case $(dnf --version 2>/dev/null || dnf5 --version) in
    dnf5*) MANAGER=dnf5 ;;
    *) MANAGER=dnf4 ;;
    esac
elif command -v yum >/dev/null; then
    MANAGER=yum3
else
    echo "neither dnf nor yum is installed" >&2
    exit 1
fi
echo "manager $MANAGER"
echo "service $(service_state)"
echo "disk $(df -Pk /var /usr | awk 'NR > 1 { print $4 }' | sort -n | head -n 1)"
echo "clock $(date +%s)"
holder=$(lock_holders)
[ -z "$holder" ] || echo "locked $holder"
lock=/var/lib/pkg/fences/$ENVIRONMENT.lock
if [ -e "$lock" ] && ! flock -n "$lock" true; then
    echo busy
fi
complaint=$(rpm -q rpm 2>&1 | sed -n 's/^error: //p' | head -n 1)
[ -z "$complaint" ] || echo "broken $complaint"
for name in $NAMES; do
    rpm -q --qf 'installed %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' "$name" | grep '^installed ' || continue
    rpm -V --nodeps --noscripts "$name" 2>/dev/null | awk '$2 == "c" { print "edited", $3; next } $2 == "g" { next } { print "changed", $NF }'
    rpm -qc "$name" | sed 's/\(.*\)/\1.rpmnew\n\1.rpmsave\n\1.rpmorig/' | while read -r file; do
        [ ! -e "$file" ] || echo "beside $file"
    done
done
if [ "$OFFERS" = yes ]; then
    # 200: the lock is held, which is no fault of the repositories.
    list=$(offered) || { [ $? != 200 ] || exit 1; exit 73; }
    printf '%s\n' "$list" | sed -n 's/^..*/offered &/p'
fi
exit 0
