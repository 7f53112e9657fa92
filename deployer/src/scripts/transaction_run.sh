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
# What either of two versions brought as configuration, until it is told from edits: a repair may take several attempts.
brought=/var/lib/pkg/configuration-of-two-versions
if [ "$MANAGER" != yum3 ] && duplicated; then
    # shellcheck disable=SC2086 # a list, split on purpose
    rpm -q --qf '[%{FILEDIGESTS} %{FILENAMES}\n]' $NAMES >>"$brought"
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
done || exit
# Configuration of the version that is gone looks like an edit to rpm, which keeps it: it is fetched again.
[ -e "$brought" ] || exit 0
for name in $NAMES; do
    strays=$(rpm -V --nodeps --noscripts "$name" | sed -n 's/^..5[^ ]*  *c //p' | while IFS= read -r path; do
        sum=$(sha256sum 2>/dev/null <"$path") || continue
        grep -qxF "${sum%% *} $path" "$brought" || continue
        rm -f "$path" && echo "$path"
    done)
    [ -z "$strays" ] || manager -C reinstall "$name" </dev/null || exit
done
rm -f "$brought"
