# shellcheck shell=sh
# The service, by whoever runs it. SERVICE SERVICE_KIND (host systemd sysv command) SERVICE_START SERVICE_STOP SERVICE_STATUS
case $SERVICE_KIND in
host) if [ -d /run/systemd/system ]; then SERVICE_KIND=systemd; else SERVICE_KIND=sysv; fi ;;
esac

# A daemon must not inherit the lock (9).
service_state() {
    case $SERVICE_KIND in
    systemd) systemctl is-active "$SERVICE" ;;
    command) if sh -c "$SERVICE_STATUS" >/dev/null 2>&1 9>&-; then echo active; else echo inactive; fi ;;
    *) if service "$SERVICE" status >/dev/null 2>&1 9>&-; then echo active; else echo inactive; fi ;;
    esac
}

# start or stop
service_do() {
    case $SERVICE_KIND in
    systemd)
        read -r asked _ </proc/uptime
        systemctl "$1" "$SERVICE" && return
        code=$?
        read -r answered _ </proc/uptime
        # systemd refuses a start after five within ten seconds, at once and without a word that tells it from a failure.
        [ "$1" = start ] && [ $((${answered%.*} - ${asked%.*})) -le 1 ] || return "$code"
        systemctl reset-failed "$SERVICE" && systemctl start "$SERVICE"
        ;;
    command) if [ "$1" = start ]; then sh -c "$SERVICE_START" 9>&-; else sh -c "$SERVICE_STOP" 9>&-; fi ;;
    *) service "$SERVICE" "$1" >/dev/null 9>&- ;;
    esac
}
