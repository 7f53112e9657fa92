# shellcheck shell=sh
# Starts the service. SERVICE…
service_do start || exit
state=$(service_state)
case $state in
active | activating | reloading) exit 0 ;;
*) echo "\`$SERVICE\` is $state after it was started" >&2; exit 1 ;;
esac
