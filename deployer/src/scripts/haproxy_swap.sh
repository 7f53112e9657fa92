# shellcheck shell=sh
# Gives several commands at once: what one takes, HAProxy takes in one go. SOCKET COMMANDS
answer=$(printf '%s\n' "$COMMANDS" | socat -t 5 STDIO "UNIX-CONNECT:$SOCKET" | grep -v '^$')
if [ -n "$answer" ]; then
    printf '%s\n' "$answer" >&2
    exit 1
fi
