# shellcheck shell=sh
# Refuses a controller that lost its lease: this host has seen a newer fencing token. Holds the environment's lock until
# the script ends, so that steps of two controllers never overlap. Every script that changes something begins with this.
# ENVIRONMENT TOKEN LOCK_WAIT (seconds)
fence=/var/lib/pkg/fences/$ENVIRONMENT
unwritable() {
    echo "/var/lib/pkg can't be written on this host: is its disk full, or read-only?" >&2
    exit 70
}
[ -d /var/lib/pkg/fences ] || mkdir -p /var/lib/pkg/fences || unwritable
# Where `exec` can't open a file, the shell ends without a word.
true >>"$fence.lock" || unwritable
exec 9>>"$fence.lock" || exit 70
if ! flock -w "$LOCK_WAIT" 9; then
    echo "another step of \`$ENVIRONMENT\` still runs on this host after $LOCK_WAIT s" >&2
    exit 71
fi
highest=0
[ ! -e "$fence" ] || read -r highest <"$fence"
if ! [ "$TOKEN" -ge "$highest" ]; then
    echo "it has seen the fencing token \`$highest\` of \`$ENVIRONMENT\`, \`$TOKEN\` is older: another controller took" \
        "over, or another ledger is used (then, if no other deploys, remove \`$fence\` there)" >&2
    exit 72
fi
if [ "$TOKEN" -gt "$highest" ]; then
    printf '%s\n' "$TOKEN" >"$fence.new" && mv -f "$fence.new" "$fence" || unwritable
fi
