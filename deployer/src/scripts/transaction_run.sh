# shellcheck shell=sh
# The transaction itself: runs on the host, detached from the controller.
# MANAGER REPOSITORIES NAMES UP DOWN
installed() {
    # shellcheck disable=SC2086 # a list, split on purpose
    rpm -q --qf 'installed %{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' $NAMES
}
# A transaction that was cut short leaves two versions installed; until one is gone, dnf takes either for being there.
duplicated() {
    for name in $NAMES; do
        case $before in
        *"installed $name "*"installed $name "*) return 0 ;;
        esac
    done
    return 1
}
before=$(installed)
if [ "$MANAGER" != yum3 ] && duplicated; then
    manager -C remove --duplicates || exit
fi
# dnf finds the direction itself and does it all in one transaction; yum 3 wants to be told.
# shellcheck disable=SC2086 # lists, split on purpose
case $MANAGER in
dnf4 | dnf5) manager -C install $UP $DOWN || exit ;;
*)
    [ -z "$UP" ] || manager -C install $UP || exit
    [ -z "$DOWN" ] || manager -C downgrade $DOWN || exit
    ;;
esac
# Where rpm could not unpack a version (a full disk), it has taken files of the installed one with it, to which dnf then finds
# nothing to do.
installed | while read -r word name version; do
    [ "$word" = installed ] || continue
    case $before in
    *"installed $name $version"*) ;;
    *) continue ;;
    esac
    damage=$(rpm -V --nodeps --noscripts "$name" | awk 'NF && $2 != "c" && $2 != "g"')
    [ -z "$damage" ] || manager -C reinstall "$name" </dev/null || exit
done
