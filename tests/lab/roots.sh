# Roots of other distributions, for what their rpm and dnf make of a package. Sourced by `lab`.
# They are no hosts: nothing runs in them but the commands that `lab root-run` is told.

# rpm 4.16, dnf 4.5 and Tomcat 9; rpm 4.20, dnf 4.23 and Tomcat 11; rpm 6 and dnf5.
readonly -A ROOT_PACKAGES=(
    [bullseye]='rpm dnf zypper curl tomcat9 openjdk-17-jre-headless'
    [trixie]='rpm dnf dnf-plugins-core zypper curl tomcat11 openjdk-21-jre-headless'
    [sid]='rpm dnf5'
)

# Builds the root of a suite unless there is one, and prints its path. The hosts' own has a root, too.
root_ensure() {
    local suite=$1
    if [[ $suite == "$BASE_SUITE" ]]; then
        base_ensure
        return
    fi
    [[ -v ROOT_PACKAGES[$suite] ]] ||
        die_usage "no root \`$suite\`; allowed: $(printf '%s\n' "$BASE_SUITE" "${!ROOT_PACKAGES[@]}" | sort | xargs)"
    cache_ensure "root-$suite" "$(root_key)" root_build "$suite"
}

root_key() {
    recipe_key cache.sh el.sh roots.sh root
}

root_build() {
    local root=$1 suite=$2 packages
    read -ra packages <<<"${ROOT_PACKAGES[$suite]}"
    cache_bootstrap "$root" "$suite" "${packages[@]}"
    # Tomcat's package brings its user along.
    chroot "$root" getent passwd tomcat ||
        chroot "$root" useradd --system --user-group --no-create-home tomcat
    like_el "$root"
}

# Builds the base and all roots, side by side, and prints their paths.
roots() {
    local suite build builds=() failed=0
    for suite in "$BASE_SUITE" "${!ROOT_PACKAGES[@]}"; do
        root_ensure "$suite" &
        builds+=($!)
    done
    for build in "${builds[@]}"; do
        wait "$build" || failed=1
    done
    ((!failed)) || die "not all roots could be built"
}

# Runs a command in a root of which all changes vanish with it; DIR is there under its own name.
root_run() {
    want_args 2 "$@"
    local suite=$1 share='' path lock
    shift
    if [[ $1 == --share ]]; then
        want_args 3 "$@"
        share=$(readlink -e "$2") || die_usage "no directory \`$2\`"
        shift 2
    fi
    [[ $1 != -- ]] || shift
    want_args 1 "$@"
    path=$(root_ensure "$suite")
    mkdir -p "$LAB_CACHE/mount"
    # Kept open by the command: the root is not swept away under it.
    exec {lock}<"$path"
    flock -s "$lock"
    exec unshare --mount --pid --fork --kill-child -- "$LAB_HOME/lab" _root-enter "$path" "$share" "$@"
}

# In the namespaces: memory over the root for what changes, then the command.
root_enter() {
    local path=$1 share=$2 top=$LAB_CACHE/mount
    shift 2
    mount -t tmpfs tmpfs "$top"
    mkdir "$top"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$path,upperdir=$top/upper,workdir=$top/work" "$top/root"
    mount -t proc proc "$top/root/proc"
    mount --rbind /dev "$top/root/dev"
    if [[ -n $share ]]; then
        mkdir -p "$top/root$share"
        mount --bind "$share" "$top/root$share"
    fi
    exec chroot "$top/root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM=dumb "$@"
}
