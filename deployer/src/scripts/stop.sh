# shellcheck shell=sh
# Stops the service and proves that it has stopped. SERVICE
service_do stop || exit
state=$(service_state)
case $state in
inactive | failed | unknown) exit 0 ;;
*) echo "\`$SERVICE\` is $state after it was stopped" >&2; exit 1 ;;
esac
