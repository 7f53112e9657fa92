# shellcheck shell=sh
# The package manager, with the environment's repositories alone and what it downloads kept.
# MANAGER (dnf4 dnf5 yum3) REPOSITORIES
manager() {
    case $MANAGER in
    dnf5) command=$(command -v dnf5 || command -v dnf) ;;
    dnf4) command=dnf ;;
    *) command=yum ;;
    esac
    "$command" -y --disablerepo='*' --enablerepo="$(echo "$REPOSITORIES" | tr ' ' ,)" --setopt=keepcache=1 "$@"
}

# The same, with metadata as it is on the server at this moment.
manager_fresh() {
    for repository in $REPOSITORIES; do
        set -- "--setopt=$repository.metadata_expire=0" "$@"
    done
    manager "$@"
}
