# shellcheck shell=sh
# Waits some seconds for a transaction's end and prints what came of it, one fact a line; changes nothing.
# DIRECTORY NAMES
[ -e "$DIRECTORY/started" ] || { echo "state absent"; exit 0; }
alive() {
    # After a restart of the host its process id may be another's.
    [ "$(cat "$DIRECTORY/started")" = "$(cat /proc/sys/kernel/random/boot_id)" ] && kill -0 "$(cat "$DIRECTORY/pid")" 2>/dev/null
}
waited=0
while [ ! -e "$DIRECTORY/exit" ] && [ "$waited" -lt 200 ]; do
    if ! alive; then
        # It may have ended between the two looks.
        [ -e "$DIRECTORY/exit" ] || { echo "state lost"; break; }
    fi
    waited=$((waited + 1))
    sleep 0.05
done
if [ ! -e "$DIRECTORY/exit" ]; then
    alive && { echo "state running"; exit 0; }
else
    echo "state ended"
    echo "exit $(cat "$DIRECTORY/exit")"
fi
for name in $NAMES; do
    rpm -q --qf 'installed %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' "$name" | grep '^installed '
    rpm -V --nodeps --noscripts "$name" 2>&1 | sed 's/^/verify /'
done
# dnf exits 0 where %post, %posttrans or %postun fail.
grep -i 'error in .* scriptlet\|scriptlet failed' "$DIRECTORY/log" | sed 's/^/scriptlet /'
# Configuration that was edited here stays, and the package's own lies beside it.
sed -n 's/^ *[Ww]arning: \(.*\) created as \(.*\.rpmnew\).*/beside \2/p' "$DIRECTORY/log" | sort -u
grep -v '^ *$' "$DIRECTORY/log" | tail -n 12 | sed 's/^/log /'
exit 0
