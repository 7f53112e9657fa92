# shellcheck shell=sh
# Brings items of the standard set-up about: files first, since packages may come from the repositories that they name,
# then packages, then directories, whose owners may come with packages, then services.
# FILES (path mode base64, one a line) PACKAGES DIRECTORIES (path mode owner, one a line) SERVICES
put() {
    new=$1.pkg-new
    mkdir -p "$(dirname "$1")" || return
    printf '%s' "$3" | base64 -d >"$new" && chown root:root "$new" && chmod "$2" "$new" || return
    case $1 in
    /etc/sudoers.d/*)
        # A rule that sudo can't read would lock everybody out.
        if command -v visudo >/dev/null && ! visudo -cqf "$new" >&2; then
            rm -f "$new"
            return 1
        fi
        ;;
    esac
    mv -f "$new" "$1"
}
printf '%s\n' "$FILES" | while read -r path mode text; do
    [ -z "$path" ] || put "$path" "$mode" "$text" || exit
done || exit
if [ -n "$PACKAGES" ]; then
    if command -v dnf >/dev/null; then manager=dnf; elif command -v dnf5 >/dev/null; then manager=dnf5; else manager=yum; fi
    # shellcheck disable=SC2086 # a list, split on purpose
    $manager -y -q install $PACKAGES >&2 || exit
fi
printf '%s\n' "$DIRECTORIES" | while read -r path mode owner; do
    [ -z "$path" ] || { mkdir -p "$path" && chown "$owner" "$path" && chmod "$mode" "$path"; } || exit
done || exit
for name in $SERVICES; do
    if [ -d /run/systemd/system ]; then
        systemctl enable --quiet "$name"
    elif command -v chkconfig >/dev/null; then
        chkconfig "$name" on
    else
        update-rc.d "$name" defaults && update-rc.d "$name" enable
    fi >&2 || exit
done
