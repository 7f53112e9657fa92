# Root file systems that take minutes to build and are kept: one directory each under the cache. Sourced by `lab`.

# Names a recipe: all files of these names, and below them.
recipe_key() {
    (cd "$LAB_HOME" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12
}

# Prints the path of the root KIND of the recipe KEY; builds it first, by the function BUILDER, unless there is one.
# BUILDER gets an empty directory and ARGUMENTS.
cache_ensure() {
    local kind=$1 key=$2 path
    path=$LAB_CACHE/$kind-$key
    if [[ ! -d $path ]]; then
        machine_require
        mkdir -p "$LAB_CACHE"
        local lock
        exec {lock}>"$LAB_CACHE/$kind.lock"
        flock -n "$lock" || { say "waiting for another build of \`$kind\`"; flock "$lock"; }
        [[ -d $path ]] || cache_build "$kind" "$path" "${@:3}"
        exec {lock}>&-
    fi
    touch "$path"
    printf '%s\n' "$path"
}

# Builds into a temporary directory and renames it: what has the name is whole.
# The build has its own mount and process namespaces and dies with this shell,
# so that a killed build leaves neither mounts nor processes.
cache_build() {
    local kind=$1 path=$2 builder=$3 tmp
    cache_sweep "$kind"
    tmp=$(mktemp -d "$LAB_CACHE/$kind.tmp.XXXXXX")
    say "building $path (log: $LAB_CACHE/$kind.log)"
    if ! setpriv --pdeathsig KILL -- \
        unshare --mount --pid --fork --kill-child --mount-proc -- \
        "$LAB_HOME/lab" _cache-build "$builder" "$tmp" "${@:4}" >"$LAB_CACHE/$kind.log" 2>&1 </dev/null; then
        tail -n 20 "$LAB_CACHE/$kind.log" >&2
        rm -rf --one-file-system "$tmp"
        die "\`$kind\` could not be built"
    fi
    mv -T "$tmp" "$path"
}

# Removes what killed builds left, and roots unused for two weeks.
# The caller holds the build lock; whoever uses a root holds a shared lock on it.
cache_sweep() {
    local kind=$1 old
    for old in "$LAB_CACHE/$kind".tmp.*; do
        [[ -d $old ]] && rm -rf --one-file-system "$old"
    done
    while IFS= read -r -d '' old; do
        flock -xn "$old" mv -T "$old" "$LAB_CACHE/$kind.tmp.old" || continue
        rm -rf --one-file-system "$LAB_CACHE/$kind.tmp.old"
    done < <(find "$LAB_CACHE" -maxdepth 1 -type d -name "$kind-*" -mtime +14 -print0)
}

# The mirror that this machine's apt uses for its own suite.
cache_mirror() {
    if [[ -n ${PKG_LAB_MIRROR:-} ]]; then
        printf '%s\n' "$PKG_LAB_MIRROR"
        return
    fi
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN)' 'Created-By: Packages' |
        awk -v suite="$BASE_SUITE" '$2 == suite && $3 == "Debian" { print $1; found = 1; exit }
            END { exit !found }' ||
        die "apt knows no Debian mirror with \`$BASE_SUITE\`" \
            "run \`apt-get update\`, or name one in PKG_LAB_MIRROR"
}

# Makes ROOT of the packages of a suite.
cache_bootstrap() {
    local root=$1 suite=$2 include mirror proxy=
    include=$(IFS=,; printf '%s' "${*:3}")
    mirror=$(cache_mirror)
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy ]] || export http_proxy=$proxy
    curl -fsS -o /dev/null "${mirror%/}/dists/$suite/Release" ||
        die "the mirror \`$mirror\` does not answer for the suite \`$suite\`" "name another one in PKG_LAB_MIRROR"
    mkdir -p "$LAB_CACHE/debs/$suite"
    # It is renamed into place when it is whole: nothing is won by waiting for the disk.
    mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
    debootstrap --variant=minbase --include="$include" --cache-dir="$LAB_CACHE/debs/$suite" \
        "$suite" "$root" "$mirror"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
        "$root"/usr/share/{doc,man,locale}/*
    chmod 755 "$root"
}
