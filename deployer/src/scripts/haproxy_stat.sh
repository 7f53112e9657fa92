# shellcheck shell=sh
# Prints HAProxy's view of its servers as CSV; changes nothing. SOCKET
echo "show stat" | socat -t 5 STDIO "UNIX-CONNECT:$SOCKET"
