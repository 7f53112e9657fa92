# shellcheck shell=sh
# Runs a command of the user's. COMMAND PKG_…
export PKG_HOST PKG_ADDRESS PKG_VERSION PKG_RELEASE
timeout 30 sh -c "$COMMAND"
