# shellcheck shell=sh
# Prints the state of the service and the last it said; changes nothing. SERVICE…
echo "$SERVICE is $(service_state)"
[ "$SERVICE_KIND" != systemd ] || journalctl --unit "$SERVICE" --lines 8 --no-pager --output cat 2>/dev/null
exit 0
