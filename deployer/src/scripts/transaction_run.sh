# shellcheck shell=sh
# The transaction itself: runs on the host, detached from the controller. Waits while another holds yum's lock.
# MANAGER REPOSITORIES NAMES UP DOWN
# A transaction that was cut short leaves two versions installed; until one is gone, dnf takes either for being there.
duplicated() {
    for name in $NAMES; do
        [ "$(rpm -q --qf 'x' "$name")" != xx ] || return 0
    done
    return 1
}
if [ "$MANAGER" != yum3 ] && duplicated; then
    manager -C --setopt=exit_on_lock=1 remove --duplicates || exit
fi
attempt=0
while :; do
    # dnf finds the direction itself and does it all in one transaction; yum 3 wants to be told.
    # shellcheck disable=SC2086 # lists, split on purpose
    case $MANAGER in
    dnf4 | dnf5)
        manager -C --setopt=exit_on_lock=1 install $UP $DOWN
        code=$?
        locked=200
        ;;
    *)
        code=0
        locked=none
        [ -z "$UP" ] || manager -C install $UP || code=$?
        [ "$code" != 0 ] || [ -z "$DOWN" ] || manager -C downgrade $DOWN || code=$?
        ;;
    esac
    attempt=$((attempt + 1))
    if [ "$code" != "$locked" ] || [ "$attempt" -ge 60 ]; then
        exit "$code"
    fi
    sleep 1
done
