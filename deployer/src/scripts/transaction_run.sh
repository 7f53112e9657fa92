# shellcheck shell=sh
# The transaction itself: runs on the host, detached from the controller.
# MANAGER REPOSITORIES NAMES UP DOWN
was_installed() {
    case $before in
    *"installed ${1%-*-*} ${1#"${1%-*-*}-"}"*) ;;
    *) return 1 ;;
    esac
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
# Only dnf can: yum 3 has no command for it, takes dependants along, or refuses. What is not to be there goes.
remove_duplicates() {
    if [ "$MANAGER" != yum3 ]; then
        manager -C remove --duplicates
        return
    fi
    # shellcheck disable=SC2046 # a list, split on purpose
    rpm -e --nodeps $(printf '%s\n' "$before" | awk -v wanted=" $UP $DOWN " '
        $1 == "installed" { count[$2]++; package[++last] = $2 "-" $3; name[last] = $2 }
        index(wanted, " " package[last] " ") { is_there[$2] = 1 }
        END {
            for (i = 1; i <= last; i++)
                if (is_there[name[i]] && count[name[i]] > 1 && !index(wanted, " " package[i] " ")) print package[i]
        }')
}
# A transaction of yum 3 that was cut short stays noted down, and `yum-complete-transaction` would go on with it: bring back
# what was taken back. It is set aside, as that command does with what is done, if it is about nothing but these packages.
forget_unfinished() {
    set +f
    for file in /var/lib/yum/transaction-all.*; do
        case $file in
        *'*' | *.disabled) continue ;;
        esac
        awk -v names=" $NAMES " '
            { name = $2; sub(/^[0-9]*:/, "", name); sub(/-[^-]*-[^-]*$/, "", name) }
            !index(names, " " name " ") { exit 1 }' "$file" || continue
        finished=/var/lib/yum/transaction-done.${file#*/transaction-all.}
        mv -f "$file" "$file.disabled"
        [ ! -e "$finished" ] || mv -f "$finished" "$finished.disabled"
    done
    set -f
}
# The host is out of service meanwhile: what only a failure needs is not asked for beforehand, but with the rest of it. Below
# each package are its files of configuration, with their sums.
# shellcheck disable=SC2086 # a list, split on purpose
before=$(rpm -qc --dump --qf 'installed %{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' $NAMES)
# The sum and the path of each of them.
configuration_before() {
    printf '%s\n' "$before" |
        sed -n 's|^\(/.*\) [0-9]* [0-9]* \([0-9a-f]*\) [0-7]* [^ ]* [^ ]* [01] [01] [^ ]* .*$|\2 \1|p'
}
# Configuration that the transaction has written, with its sums.
written() {
    # shellcheck disable=SC2086 # a list, split on purpose
    rpm -qc $NAMES | while IFS= read -r path; do
        [ -e "$path" ] && [ -n "$(find "$path" -cnewer "$began")" ] || continue
        sum=$(sha256sum 2>/dev/null <"$path") && echo "${sum%% *} $path"
    done
}
# What was brought as configuration by either of two versions, or by one that rpm could not unpack, until it is told from
# edits: a repair may take several attempts.
brought=/var/lib/pkg/configuration-of-two-versions
if duplicated; then
    # shellcheck disable=SC2086 # a list, split on purpose
    rpm -q --qf '[%{FILEDIGESTS} %{FILENAMES}\n]' $NAMES >>"$brought"
    remove_duplicates || exit
fi
# Where rpm could not unpack a version (a full disk), it has taken files of the installed one with it, to which the package
# manager then finds nothing to do.
stayed=
for package in $UP $DOWN; do
    ! was_installed "$package" || stayed="$stayed ${package%-*-*}"
done
# yum 3 takes a downgrade for nothing to do where the installed version went and no other came; and in its shell, nothing to
# do for a failure.
if [ "$MANAGER" = yum3 ]; then
    up='' down=''
    for package in $UP; do
        was_installed "$package" || up="$up $package"
    done
    for package in $DOWN; do
        ! was_installed "$package" || continue
        case $before in
        *"installed ${package%-*-*} "*) down="$down $package" ;;
        *) up="$up $package" ;;
        esac
    done
    UP=$up DOWN=$down
fi
began=$brought.began
: >"$began"
[ -z "$UP$DOWN" ] || manager_move '' manager -C || {
    code=$?
    { configuration_before; written; } >>"$brought"
    exit "$code"
}
[ "$MANAGER" != yum3 ] || forget_unfinished
for name in $stayed; do
    damage=$(rpm -V --nodeps --noscripts "$name" | awk 'NF && $2 != "c" && $2 != "g"')
    [ -z "$damage" ] || manager -C reinstall "$name" </dev/null || exit
done
# Configuration of the version that is gone looks like an edit to rpm, which keeps it: it is fetched again.
[ -e "$brought" ] || exit 0
for name in $NAMES; do
    strays=$(rpm -V --nodeps --noscripts "$name" | sed -n 's/^..5[^ ]*  *c //p' | while IFS= read -r path; do
        sum=$(sha256sum 2>/dev/null <"$path") || continue
        grep -qxF "${sum%% *} $path" "$brought" && echo "$path"
    done)
    [ -n "$strays" ] || continue
    printf '%s\n' "$strays" | while IFS= read -r path; do mv -f "$path" "$path.pkg-gone"; done
    manager -C reinstall "$name" </dev/null
    code=$?
    printf '%s\n' "$strays" | while IFS= read -r path; do
        if [ -e "$path" ]; then rm -f "$path.pkg-gone"; else mv -f "$path.pkg-gone" "$path"; fi
    done
    [ "$code" = 0 ] || exit "$code"
done
rm -f "$brought"
