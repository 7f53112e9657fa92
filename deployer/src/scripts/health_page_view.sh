# shellcheck shell=sh
# Prints where a server is on its way out or in by its check page, what the page answers, and how many connections are
# established; changes nothing. FILE URL PORT NOTICE (seconds)
seconds_since() {
    # A file without a time in it was made by hand, one of before a restart is old.
    then=$(sed -n 's/^\([0-9][0-9]*\)$/\1/p' "$1" 2>/dev/null | head -n 1)
    now=$(cut -d. -f1 /proc/uptime)
    if [ -z "$then" ] || [ "$then" -gt "$now" ]; then
        echo 1000000
    else
        echo $((now - then))
    fi
}
if [ -e "$FILE" ]; then
    if [ "$(seconds_since "$FILE")" -gt "$NOTICE" ]; then echo state out; else echo state leaving; fi
elif [ -e "$FILE.returned" ] && [ "$(seconds_since "$FILE.returned")" -le "$NOTICE" ]; then
    echo state returning
else
    echo state in
fi
echo "page $(curl -ks -o /dev/null -m 3 -w '%{http_code}' "$URL")"
command -v ss >/dev/null || { echo "\`ss\` (iproute2) is not installed" >&2; exit 127; }
echo "connections $(ss -Htn state established "( sport = :$PORT )" | wc -l)"
