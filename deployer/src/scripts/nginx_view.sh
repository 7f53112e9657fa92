# shellcheck shell=sh
# Prints the servers of an nginx include file, whether each is down, and how many connections nginx has there; changes
# nothing. FILE
command -v ss >/dev/null || { echo "\`ss\` (iproute2) is not installed" >&2; exit 127; }
[ -r "$FILE" ] || { echo "\`$FILE\` can't be read" >&2; exit 1; }
pgrep -x nginx >/dev/null || { echo "nginx does not run" >&2; exit 1; }
sed -n 's/^[[:space:]]*server[[:space:]][[:space:]]*\([^;]*\);.*/\1/p' "$FILE" | while read -r server options; do
    case " $options " in
    *' down '*) state=down ;;
    *) state=up ;;
    esac
    case $server in
    unix:*) connections=0 ;;
    *:*) connections=$(ss -Htn state established "dst $server" | wc -l) ;;
    *) connections=$(ss -Htn state established "dst $server:80" | wc -l) ;;
    esac || exit
    echo "$server $state $connections"
done
