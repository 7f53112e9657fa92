# shellcheck shell=sh
# Prints what is known of the host, one fact a line; changes nothing. What the shell can do itself starts no process: there
# are many hosts, and some are slow.
# ENVIRONMENT NAMES (that packages may have) SERVICE REPOSITORIES OFFERS (yes: ask the repositories, too) NOW (the
# controller's clock, in seconds)
offered() {
    package='offered %{name}-%{epoch}:%{version}-%{release}.%{arch}'
    # shellcheck disable=SC2086 # a list, split on purpose
    case $MANAGER in
    dnf4) manager_fresh -q repoquery --qf "$package %{installsize} %{downloadsize}\n%{provides}" $NAMES ;;
    dnf5) manager_fresh -q repoquery --qf "$package %{installsize} %{downloadsize}\n%{provides}\n" $NAMES ;;
    # What it prints has neither sizes nor what is provided, and breaks lines that are too wide: its own library is asked.
    *)
        began=$(date +%s)
        manager_fresh -q makecache fast >/dev/null || return
        library=$(sed -n '1s/^#! *//p' "$(command -v yum)")
        # shellcheck disable=SC2086 # lists, and an interpreter with its options, split on purpose
        ${library:-python} - "$began" "$REPOSITORIES" $NAMES <<'PYTHON'
import os
import sys
import yum
base = yum.YumBase()
base.preconf.debuglevel = 0
base.conf.cache = 1
base.repos.setCache(1)
base.repos.disableRepo('*')
for repository in sys.argv[2].split():
    base.repos.enableRepo(repository)
for repository in base.repos.listEnabled():
    # yum is content with what it had where the repository can't be reached.
    cookie = repository.metadata_cookie
    if not os.path.exists(cookie) or os.path.getmtime(cookie) < int(sys.argv[1]):
        sys.exit('the metadata of `%s` could not be fetched: what yum has of it is old' % repository.id)
for package in base.pkgSack.searchNames(sys.argv[3:]):
    version = '%s:%s-%s.%s' % (package.epoch, package.version, package.release, package.arch)
    print('offered %s-%s %s %s' % (package.name, version, package.installedsize, package.packagesize))
    for provided in package.provides_print:
        if provided.startswith('oldest-rollback('):
            print(provided)
PYTHON
        ;;
    esac
}

# By a clock that is far off, keys and certificates are not valid yet, or not any more; whoever fails by that does not say so.
say_clock() {
    off=$(($(date +%s) - NOW)) side="ahead of"
    [ "$off" -ge 0 ] || off=$((-off)) side=behind
    [ "$off" -le 300 ] || echo "its clock is $off s $side the controller's: signatures and certificates may fail by that" >&2
}

while read -r key _ user _; do
    [ "$key" != Uid: ] || break
done </proc/self/status
if [ "$user" != 0 ]; then
    echo "not root: set \`sudo = true\` under [ssh], or log in as root" >&2
    exit 1
fi
if program=$(command -v dnf || command -v dnf5); then
    # dnf needs a third of a second to say its version; its name says it, too.
    if [ "$program" -ef "${program%/*}/dnf5" ]; then
        MANAGER=dnf5
    elif [ "$program" -ef "${program%/*}/dnf-3" ]; then
        MANAGER=dnf4
    else
        case $("$program" --version) in
        dnf5*) MANAGER=dnf5 ;;
        *) MANAGER=dnf4 ;;
        esac
    fi
elif command -v yum >/dev/null; then
    MANAGER=yum3
else
    echo "neither dnf nor yum is installed" >&2
    exit 1
fi
echo "manager $MANAGER"
echo "service $(service_state)"
least=
# shellcheck disable=SC2046 # numbers, split on purpose
set -- $(stat -f -c '%a %S' /var /usr)
while [ $# -gt 1 ]; do
    free=$(($1 * $2 / 1024))
    [ -n "$least" ] && [ "$least" -le "$free" ] || least=$free
    shift 2
done
echo "disk $least"
holder=$(lock_holder)
[ -z "$holder" ] || echo "locked $holder"
lock=/var/lib/pkg/fences/$ENVIRONMENT.lock
if [ -e "$lock" ]; then
    exec 8<"$lock"
    flock -n 8 || echo busy
    exec 8<&-
fi
# Versions and, below each, what it provides and its files of configuration (with --qf, -c prints both).
package='installed %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n[%{PROVIDENAME} = %{PROVIDEVERSION}\n]'
# shellcheck disable=SC2086 # a list, split on purpose
rpm -qc --qf "$package" ${NAMES:-rpm} 2>&1 | {
    complaint='' installed=''
    while IFS= read -r line; do
        case $line in
        'installed = '*) ;; # what some package provides
        'error: '*) complaint=${complaint:-${line#error: }} ;;
        'installed '*)
            [ -n "$NAMES" ] || continue
            echo "$line"
            name=${line#installed } name=${name%-*-*}
            case " $installed " in
            *" $name "*) ;;
            *) installed="$installed $name" ;;
            esac
            ;;
        # How far back it lets itself be taken.
        'oldest-rollback('*') = '*)
            limit=${line#oldest-rollback(}
            echo "oldest ${limit%%)*} ${line#*) = }"
            ;;
        /*)
            [ -n "$NAMES" ] || continue
            for ending in rpmnew rpmsave rpmorig; do
                [ ! -e "$line.$ending" ] || echo "beside $line.$ending"
            done
            ;;
        esac
    done
    [ -z "$complaint" ] || echo "broken $complaint"
    [ -n "$installed" ] || exit 0
    # shellcheck disable=SC2086 # a list, split on purpose
    rpm -V --nodeps --noscripts $installed 2>/dev/null | while read -r _ kind file; do
        case $kind in
        c) echo "edited $file" ;;
        '' | g) ;;
        /*) echo "changed $kind${file:+ $file}" ;;
        *) echo "changed $file" ;;
        esac
    done
}
if [ "$OFFERS" = yes ]; then
    # 200: the lock is held, which is no fault of the repositories.
    # Of what packages provide, only how far back they let themselves be taken.
    list=$(offered) || { [ $? != 200 ] || exit 1; say_clock; exit 73; }
    printf '%s\n' "$list" | sed -n -e '/^offered [^=]/p' -e 's/^oldest-rollback(\([^()]*\)) = /oldest \1 /p'
fi
# At the end: a lock may have been waited for.
date '+clock %s'
exit 0
