# shellcheck shell=sh
# Sets the state of a server: ready, drain or maint. SOCKET BACKEND SERVER STATE
answer=$(printf 'set server %s/%s state %s\n' "$BACKEND" "$SERVER" "$STATE" | socat -t 5 STDIO "UNIX-CONNECT:$SOCKET") || exit
if [ -n "$answer" ]; then
    printf '%s\n' "$answer" >&2
    exit 1
fi
