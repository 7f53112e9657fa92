# shellcheck shell=sh
# Prints the state of the service and the last it said; changes nothing. SERVICE
service_state
[ ! -d /run/systemd/system ] || journalctl --unit "$SERVICE" --lines 5 --no-pager --output cat 2>/dev/null
exit 0
