# shellcheck shell=sh
# Runs rpm's test of the transaction with what was staged, and changes nothing.
# MANAGER REPOSITORIES TARGETS
# shellcheck disable=SC2086 # a list, split on purpose
manager -C --setopt=tsflags=test install $TARGETS >&2
