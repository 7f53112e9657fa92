# shellcheck shell=sh
# The package manager, with the environment's repositories alone and what it downloads kept.
# MANAGER (dnf4 dnf5 yum3) REPOSITORIES
manager() {
    case $MANAGER in
    dnf5) program=dnf5; command -v dnf5 >/dev/null || program=dnf ;;
    dnf4) program=dnf ;;
    *) program=yum ;;
    esac
    enabled=
    for repository in $REPOSITORIES; do
        enabled=$enabled${enabled:+,}$repository
    done
    set -- -y --disablerepo='*' --enablerepo="$enabled" --setopt=keepcache=1 "$@"
    # Left to themselves, dnf 4 and yum 3 wait without end for another one that holds their lock; told not to, dnf 4 ends with
    # exit code 200, yum 3 as with any other failure. dnf5 does not know the option and gives up on a held lock at once, with
    # the exit code of any other failure.
    option=--setopt=exit_on_lock=1
    [ "$MANAGER" != dnf5 ] || option=--setopt=keepcache=1
    locked=0
    while :; do
        holder=
        [ "$MANAGER" = dnf4 ] || holder=$(lock_holder)
        "$program" "$option" "$@"
        code=$?
        case $MANAGER:$code in
        dnf4:200) ;;
        dnf5:1 | yum3:1) [ -n "$holder" ] || return 1 ;;
        *) return "$code" ;;
        esac
        locked=$((locked + 1))
        [ "$locked" -lt 60 ] || break
        sleep 1
    done
    echo "another process has held a lock of the package manager for a minute: $(lock_holder)" >&2
    return 200
}

# Brings packages to where they are to be, all of them in one transaction: UP, of which nothing newer is there, and DOWN. dnf
# finds the direction itself. yum 3 takes a wrong one for nothing to do, and both at once in its shell alone, which ends with
# 0 whatever happens. $1: options of the command; then what runs it.
manager_move() {
    options=$1
    shift
    # shellcheck disable=SC2086 # lists, split on purpose
    case $MANAGER:${UP:+up}:${DOWN:+down} in
    yum3:up:down) ;;
    yum3::down) "$@" downgrade $options $DOWN; return ;;
    *) "$@" install $options $UP $DOWN; return ;;
    esac
    commands=$(mktemp) || return
    printf 'install %s\ndowngrade %s\nrun\n' "$UP" "$DOWN" >"$commands"
    # shellcheck disable=SC2086
    said=$("$@" $options shell "$commands" 2>&1)
    code=$?
    rm -f "$commands"
    printf '%s\n' "$said"
    [ "$code" = 0 ] || return "$code"
    case $said in
    *"No package "*" available."* | *"non-fatal errors in the transaction"*) return 1 ;;
    *"Finished Transaction"* | *'exiting because "Download Only" specified'*) ;;
    *) return 1 ;;
    esac
}

# Who holds a lock of dnf, of yum or of rpm, if anybody does.
lock_holder() {
    pids=
    set +f
    for file in /var/cache/dnf/*.pid /var/lib/dnf/*.pid /run/dnf/*.pid /run/yum.pid; do
        pid=
        [ ! -e "$file" ] || read -r pid <"$file"
        pids="$pids $pid"
    done
    set -f
    set --
    for file in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock /run/dnf/rpmtransaction.lock; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    # Without any lock in the system there is none to be looked for.
    if [ $# -gt 0 ] && read -r _ </proc/locks; then
        for number in $(stat -c %i "$@"); do
            while read -r _ _ _ kind pid place _; do
                case $kind:$place in
                WRITE:*:"$number") pids="$pids $pid" ;;
                esac
            done </proc/locks
        done
    fi
    for pid in $pids; do
        # One line, whatever its arguments hold.
        line=$(tr '\0-\037' '[ *]' 2>/dev/null <"/proc/$pid/cmdline")
        [ -z "$line" ] || { echo "process $pid, $line"; return; }
    done
}

# The same, with metadata as it is on the server at this moment.
manager_fresh() {
    for repository in $REPOSITORIES; do
        set -- "--setopt=$repository.metadata_expire=0" "$@"
    done
    manager "$@"
}
