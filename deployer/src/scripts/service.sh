# shellcheck shell=sh
# The service manager. SERVICE
service_state() {
    if [ -d /run/systemd/system ]; then
        systemctl is-active "$SERVICE"
    elif service "$SERVICE" status >/dev/null 2>&1; then
        echo active
    else
        echo inactive
    fi
}

# A daemon must not inherit the lock (9).
service_do() {
    if [ -d /run/systemd/system ]; then
        systemctl "$1" "$SERVICE"
    else
        service "$SERVICE" "$1" 9>&-
    fi
}
