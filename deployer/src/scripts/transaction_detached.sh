# shellcheck shell=sh
# Runs a transaction and keeps its log and exit code. $1: its directory. As long as it runs, it holds the lock `running`:
# whoever gets it knows that the transaction has ended or was killed, also after a restart.
# A file of its own, because systemd-run replaces `$` in arguments.
exec 8>"$1/running" || exit
flock 8 || exit
echo "$$" >"$1/pid"
sh "$1/run.sh" >"$1/log" 2>&1 </dev/null 8>&-
echo "$?" >"$1/exit"
