# shellcheck shell=sh
# Prints how many connections to the service are established; changes nothing. PORT
command -v ss >/dev/null || { echo "\`ss\` (iproute2) is not installed" >&2; exit 127; }
ss -Htn state established "( sport = :$PORT )" | wc -l
