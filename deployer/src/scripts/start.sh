# shellcheck shell=sh
# Starts the service. SERVICE
# systemd refuses a start after five within ten seconds, and one that has failed.
[ ! -d /run/systemd/system ] || systemctl reset-failed "$SERVICE" 2>/dev/null
service_do start || exit
state=$(service_state)
case $state in
active | activating | reloading) exit 0 ;;
*) echo "\`$SERVICE\` is $state after it was started" >&2; exit 1 ;;
esac
