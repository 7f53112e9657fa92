# shellcheck shell=sh
# The package manager, with the environment's repositories alone and what it downloads kept.
# MANAGER (dnf4 dnf5 yum3) REPOSITORIES
manager() {
    case $MANAGER in
    dnf5) command=$(command -v dnf5 || command -v dnf) ;;
    dnf4) command=dnf ;;
    *) command=yum ;;
    esac
    set -- -y --disablerepo='*' --enablerepo="$(echo "$REPOSITORIES" | tr ' ' ,)" --setopt=keepcache=1 "$@"
    if [ "$MANAGER" = yum3 ]; then
        "$command" "$@"
        return
    fi
    # Left to itself, dnf waits without end and without a word for another one that holds its lock (exit code 200).
    # dnf5 does not know the option and gives up on a held lock at once, with the exit code of any other failure.
    option=--setopt=exit_on_lock=1
    [ "$MANAGER" != dnf5 ] || option=--setopt=keepcache=1
    locked=0
    while :; do
        holder=
        [ "$MANAGER" != dnf5 ] || holder=$(lock_holders)
        "$command" "$option" "$@"
        code=$?
        case $MANAGER:$code in
        dnf4:200) ;;
        dnf5:1) [ -n "$holder" ] || return 1 ;;
        *) return "$code" ;;
        esac
        locked=$((locked + 1))
        [ "$locked" -lt 60 ] || break
        sleep 1
    done
    echo "another process has held a lock of the package manager for a minute: $(lock_holders)" >&2
    return 200
}

# Who holds a lock of dnf, of yum or of rpm, if anybody does.
lock_holders() {
    set +f
    {
        for file in /var/cache/dnf/*.pid /var/lib/dnf/*.pid /run/dnf/*.pid /run/yum.pid; do
            [ ! -e "$file" ] || { cat "$file"; echo; }
        done
        for file in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock /run/dnf/rpmtransaction.lock; do
            number=$(stat -c %i "$file" 2>/dev/null) || continue
            awk -v end=":$number" '$4 == "WRITE" && substr($6, length($6) - length(end) + 1) == end { print $5 }' /proc/locks
        done
    } | while read -r pid; do
        command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) && [ -n "$command" ] && echo "process $pid, $command"
    done | sort -u | head -n 1
    set -f
}

# The same, with metadata as it is on the server at this moment.
manager_fresh() {
    for repository in $REPOSITORIES; do
        set -- "--setopt=$repository.metadata_expire=0" "$@"
    done
    manager "$@"
}
