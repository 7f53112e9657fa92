# shellcheck shell=sh
# Runs a command of the user's, and prints what it prints and then `pkg-exit CODE` on a line of its own, so that no code
# of its is taken for one of ours. COMMAND SECONDS_ALLOWED EXPORTED (names of variables)
# shellcheck disable=SC2086,SC2163 # a list of names, split on purpose
[ -z "$EXPORTED" ] || export $EXPORTED
# 9 is the environment's lock: what the command leaves running must not keep it.
timeout -k 10 "$SECONDS_ALLOWED" sh -c "$COMMAND" </dev/null 2>&1 9>&-
printf '\npkg-exit %s\n' "$?"
