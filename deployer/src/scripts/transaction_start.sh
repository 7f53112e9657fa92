# shellcheck shell=sh
# Starts a transaction detached from this session, once; its script, log and exit code stay on the host.
# ENVIRONMENT DIRECTORY (of the transaction) UNIT RUNNER (a whole script) DETACHED (what runs it)
if [ -e "$DIRECTORY/started" ]; then
    exit 0
fi
mkdir -p "$DIRECTORY" && chmod 700 "$DIRECTORY" || exit
printf '%s' "$RUNNER" >"$DIRECTORY/run.sh" && printf '%s' "$DETACHED" >"$DIRECTORY/detached.sh" || exit
cp /proc/sys/kernel/random/boot_id "$DIRECTORY/started" || exit
set -- sh "$DIRECTORY/detached.sh" "$DIRECTORY"
if [ -d /run/systemd/system ]; then
    systemd-run --quiet --unit="$UNIT" "$@" || exit
else
    setsid "$@" >/dev/null 2>&1 9>&- &
fi
waited=0
until [ -s "$DIRECTORY/pid" ]; do
    [ "$waited" -lt 100 ] || { echo "the transaction did not start within 5 s" >&2; exit 1; }
    waited=$((waited + 1))
    sleep 0.05
done
