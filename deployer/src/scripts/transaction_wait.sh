# shellcheck shell=sh
# Waits some seconds for a transaction's end and prints what came of it, one fact a line; changes nothing.
# DIRECTORY NAMES
[ -e "$DIRECTORY/started" ] || { echo "state absent"; exit 0; }
waited=0
until [ -s "$DIRECTORY/pid" ]; do
    [ "$waited" -lt 200 ] || { echo "the transaction did not start within 10 s" >&2; exit 1; }
    waited=$((waited + 1))
    sleep 0.05
done
exec 8<"$DIRECTORY/running" || exit
flock -s -w 10 8 || { echo "state running"; exit 0; }
if read -r code <"$DIRECTORY/exit" 2>/dev/null; then
    echo "state ended"
    echo "exit $code"
else
    echo "state lost"
fi
# Configuration that was edited here stays, and the package's own lies beside it. yum 3 does not always say so.
# shellcheck disable=SC2086 # a list, split on purpose
rpm -qc --qf 'installed %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' $NAMES | while IFS= read -r line; do
    case $line in
    'installed '*) echo "$line" ;;
    /*) [ -e "$line.rpmnew" ] && [ -n "$(find "$line.rpmnew" -cnewer "$DIRECTORY/started")" ] && echo "beside $line.rpmnew" ;;
    esac
done
# shellcheck disable=SC2086 # a list, split on purpose
rpm -V --nodeps --noscripts $NAMES 2>&1 | while IFS= read -r line; do
    echo "verify $line"
done
# dnf and yum 3 exit 0 where %post, %posttrans or %postun fail; what yum 3 says of it may follow on its progress.
awk '
    match(tolower($0), /error in .* scriptlet|non-fatal .* scriptlet failure/) { print "scriptlet " substr($0, RSTART) }
    tolower($0) ~ /scriptlet failed/ { print "scriptlet " $0 }
    NF { last[count++ % 12] = $0 }
    END { for (i = count > 12 ? count - 12 : 0; i < count; i++) print "log " last[i % 12] }
' "$DIRECTORY/log"
exit 0
