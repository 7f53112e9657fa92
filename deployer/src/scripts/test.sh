# shellcheck shell=sh
# Runs rpm's test of the transaction with what was staged, and changes nothing.
# MANAGER REPOSITORIES UP DOWN
[ -n "$UP$DOWN" ] || exit 0
if ! [ "$MANAGER" = yum3 ] || ! [ -e /etc/yum.conf ]; then
    manager_move '' manager -C --setopt=tsflags=test >&2
    exit
fi
# yum 3 writes into its log that it did it, wherever `--setopt` says that its log is.
settings=$(mktemp) || exit
sed -e '/^ *logfile *=/d' -e 's/^\[main\].*/&\nlogfile=\/dev\/null/' /etc/yum.conf >"$settings" &&
    manager_move '' manager -C --setopt=tsflags=test -c "$settings" >&2
code=$?
rm -f "$settings"
exit "$code"
