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
    locked=0
    while :; do
        "$command" --setopt=exit_on_lock=1 "$@"
        code=$?
        [ "$code" = 200 ] || return "$code"
        locked=$((locked + 1))
        [ "$locked" -lt 60 ] || break
        sleep 1
    done
    echo "another process has held dnf's lock for a minute: $(lock_holders)" >&2
    return 200
}

lock_holders() {
    set +f
    for file in /var/cache/dnf/*.pid /var/lib/dnf/*.pid /run/dnf/*.pid; do
        pid=$(cat "$file" 2>/dev/null) && [ -n "$pid" ] || continue
        echo "process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
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
