# shellcheck shell=sh
# Runs a transaction and keeps its log and exit code. $1: its directory. The exit code is there as a whole or not at all.
# A file of its own, because systemd-run replaces `$` in arguments.
echo "$$" >"$1/pid"
sh "$1/run.sh" >"$1/log" 2>&1 </dev/null
echo "$?" >"$1/exit.new"
mv "$1/exit.new" "$1/exit"
