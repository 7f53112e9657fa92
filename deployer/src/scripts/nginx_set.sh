# shellcheck shell=sh
# Marks a server in an nginx include file as down, or no longer so, has the file tested, and reloads.
# FILE SERVER TO CLOSE_FILE (may be empty)
# Returns when the old workers take no more requests.
changed=$(awk -v server="$SERVER" -v to="$TO" '
    $1 == "server" && (end = index($0, ";")) {
        name = $2
        sub(/;.*/, "", name)
        if (name == server || index(name, server ":") == 1) {
            found = 1
            statement = substr($0, 1, end - 1)
            gsub(/[ \t]+down$/, "", statement)
            gsub(/[ \t]+down[ \t]+/, " ", statement)
            $0 = statement (to == "in" ? "" : " down") substr($0, end)
        }
    }
    { print }
    END { exit !found }' "$FILE") || { echo "\`$FILE\` has no \`server $SERVER\`" >&2; exit 1; }
cp -p "$FILE" "$FILE.pkg-old" && cp -p "$FILE" "$FILE.pkg-new" && printf '%s\n' "$changed" >"$FILE.pkg-new" || exit
mv -f "$FILE.pkg-new" "$FILE" || exit
if ! complaint=$(nginx -t 2>&1); then
    mv -f "$FILE.pkg-old" "$FILE"
    printf '%s\n' "$complaint" >&2
    exit 1
fi
rm -f "$FILE.pkg-old"
master=$(pgrep -o -x nginx) || { echo "nginx does not run" >&2; exit 1; }
workers=$(pgrep -P "$master")
# A reload cuts the connections that wait for their next request; those that were closed with an answer are none.
if [ -n "$CLOSE_FILE" ]; then
    trap 'rm -f "$CLOSE_FILE"' EXIT
    : >"$CLOSE_FILE" && sleep 2
fi
kill -HUP "$master" || exit
accepts() {
    for worker in $workers; do
        title=$(tr '\0' ' ' <"/proc/$worker/cmdline" 2>/dev/null)
        case $title in
        '' | *'shutting down'*) ;;
        *) return 0 ;;
        esac
    done
    return 1
}
waited=0
while accepts; do
    [ "$waited" -lt 200 ] || { echo "nginx has not reloaded within 10 s" >&2; exit 1; }
    waited=$((waited + 1))
    sleep 0.05
done
