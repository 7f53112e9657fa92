# shellcheck shell=sh
# Starts a transaction detached from this session, once; its script, log and exit code stay on the host.
# ENVIRONMENT DIRECTORY (of the transaction) UNIT RUNNER (a whole script) DETACHED (what runs it)
if [ ! -e "$DIRECTORY/started" ]; then
    mkdir -p -m 700 "$DIRECTORY" || exit
    printf '%s' "$RUNNER" >"$DIRECTORY/run.sh" && printf '%s' "$DETACHED" >"$DIRECTORY/detached.sh" || exit
    true >"$DIRECTORY/started" || exit
    set -- sh "$DIRECTORY/detached.sh" "$DIRECTORY"
    if [ -d /run/systemd/system ]; then
        systemd-run --quiet --unit="$UNIT" "$@" || exit
    else
        setsid "$@" >/dev/null 2>&1 9>&- &
    fi
fi
# The transaction waits for the environment's lock.
exec 9>&-
