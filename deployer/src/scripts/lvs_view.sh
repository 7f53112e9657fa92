# shellcheck shell=sh
# Prints `reschedules` if a server of weight 0 gets nothing new at all, the servers of LVS that were ever set, as
# `set: WEIGHT SERVICE SERVER`, and LVS's table; changes nothing. No variables.
# A client may use the port of a connection that ended less than two minutes ago: that goes where the old one went, if LVS
# is not told otherwise.
{
    read -r expires </proc/sys/net/ipv4/vs/expire_nodest_conn
    read -r reuses </proc/sys/net/ipv4/vs/conn_reuse_mode
} 2>/dev/null
if [ "$expires" = 1 ] && [ "$reuses" != 0 ]; then
    echo reschedules
fi
find /var/lib/pkg/lvs -type f ! -name '*.new' -exec sed 's/^/set: /' {} + 2>/dev/null
ipvsadm -Ln
