# shellcheck shell=sh
# Runs a command of the user's. COMMAND, and what it is told: PKG_…
export PKG_SERVERS PKG_SERVER PKG_HOST PKG_TO
sh -c "$COMMAND"
