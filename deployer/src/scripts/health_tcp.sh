# shellcheck shell=sh
# Says whether anything listens on a port. PORT
[ -n "$(ss -Hltn "( sport = :$PORT )")" ] || { echo "nothing listens on port $PORT" >&2; exit 1; }
