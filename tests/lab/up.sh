# `lab up`: from nothing, or from what a crash left, to hosts that serve. Sourced by `lab`.

up() {
    want_args 2 "$@"
    local lab=$1 owner='' check_path=/examples/ specs=()
    shift
    while (($#)); do
        case $1 in
        --owner) want_args 2 "$@"; owner=$2; shift 2 ;;
        --check-path) want_args 2 "$@"; check_path=$2; shift 2 ;;
        --*) die_usage "unknown option \`$1\`" ;;
        *) specs+=("$1"); shift ;;
        esac
    done
    local dir roster base
    dir=$(lab_dir "$lab")
    [[ $check_path == /* ]] || die_usage "the check path \`$check_path\` does not begin with \`/\`"
    [[ -z $owner || -n $(process_start "$owner") ]] || die_usage "the owner \`$owner\` is no running process"
    roster=$(up_roster "${specs[@]}") || exit
    machine_require
    base=$(base_ensure)
    local -A bases=()
    up_bases
    machine_raise_limits
    local interrupted=
    # shellcheck disable=SC2064
    trap "up_ends '$lab'" EXIT
    # No `exit` here: `timeout` signals twice, and the second one would end the tidying.
    trap 'interrupted=130' INT
    trap 'interrupted=143' TERM HUP
    lock_lab "$lab"
    up_replaces "$lab" "$owner"
    down_locked "$lab"
    up_locked "$lab" "$owner"
}

# Prints `name address role suite servers` for each HOST=ROLE[@SUITE][:SERVERS].
up_roster() {
    local spec host role suite servers names=() number=11
    for spec; do
        [[ $spec =~ ^([a-z][a-z0-9-]{0,14})=([a-z0-9]+)(@[a-z]+)?(:([a-z0-9,-]+))?$ ]] ||
            die_usage "\`$spec\` is no HOST=ROLE; a host's name has lower-case letters, digits and \`-\`, up to 15"
        host=${BASH_REMATCH[1]}
        [[ " ${names[*]} " != *" $host "* && $host != lo && $host != lab0 && $host != controller && $host != vip ]] ||
            die_usage "the host name \`$host\` is taken"
        names+=("$host")
    done
    ((${#names[@]} >= 1 && ${#names[@]} <= 240)) || die_usage "a lab has 1 to 240 hosts"
    for spec; do
        host=${spec%%=*} role=${spec#*=} servers=
        [[ $role != *:* ]] || { servers=${role#*:}; role=${role%%:*}; }
        suite=$BASE_SUITE
        [[ $role != *@* ]] || { suite=${role#*@}; role=${role%%@*}; }
        [[ $suite == "$BASE_SUITE" || $role == tomcat || $role == plain ]] ||
            die_usage "the role \`$role\` of \`$host\` is there on \`$BASE_SUITE\` alone"
        role_check "$host" "$role" "$servers" "${names[@]}"
        echo "$host 10.77.0.$((number++)) $role $suite $servers"
    done
}

# Fills `bases` with the base of each further suite of `roster`.
up_bases() {
    local suite
    while read -r suite; do
        [[ $suite == "$BASE_SUITE" ]] || bases[$suite]=$(base_ensure "$suite")
    done < <(cut -d' ' -f4 <<<"$roster" | sort -u)
}

# A lab that is up gives way to the new one, unless another living process owns it.
up_replaces() {
    local lab=$1 owner=$2 dir old start
    dir=$(lab_dir "$lab")
    [[ -f $dir/owner ]] || return 0
    read -r old start <"$dir/owner"
    [[ $old == "$owner" || $(process_start "$old") != "$start" ]] ||
        die_usage "the lab \`$lab\` belongs to the process $old; take it down first with \`lab down $lab\`"
}

# Variables of `up`: dir, roster, base, bases, check_path.
up_locked() {
    local lab=$1 owner=$2 home
    home=$(cgroup_now self)
    # From here on every child is in the lab's cgroup, and ends with it.
    cgroup_join "$(cgroup_of "$lab")/up" "$(cgroup_root)"
    # shellcheck disable=SC2064
    trap "up_failed '$lab' '$home'" EXIT
    up_directory
    up_keys
    up_goes_on
    [[ -z $owner ]] || watcher_start "$lab" "$owner" "$home"
    keeper_start "$lab"
    up_goes_on
    up_hosts "$lab"
    up_goes_on
    echo up >"$dir/state"
    trap - EXIT INT TERM HUP
    cgroup_join "${home#/}" "$(cgroup_root)"
    unlock_lab "$lab"
}

# Before there is a lab: lets go of the name if it is ours.
up_ends() {
    local rc=$?
    [[ ! -v LOCK ]] || ! flock --nonblock "$LOCK" || unlock_lab "$1"
    exit "${interrupted:-$rc}"
}

up_goes_on() {
    [[ -z $interrupted ]] || exit "$interrupted"
}

up_failed() {
    local rc=$?
    trap '' INT TERM HUP
    cgroup_join "${2#/}" "$(cgroup_root)"
    down_locked "$1"
    unlock_lab "$1"
    exit "${interrupted:-$rc}"
}

up_directory() {
    mkdir -p "$dir"/{disk,console,pid,keys,bases}
    chmod 0755 "$dir"
    echo starting >"$dir/state"
    echo "$EPOCHREALTIME-$$" >"$dir/instance"
    echo "$base" >"$dir/base"
    echo "$check_path" >"$dir/check_path"
    echo "$roster" >"$dir/roster"
    {
        printf '127.0.0.1 localhost\n::1 localhost\n%s controller\n' "$CONTROLLER_ADDRESS"
        awk '{ print $2, $1 }' "$dir/roster"
        ! grep -q ' lvs ' "$dir/roster" || echo "$VIRTUAL_ADDRESS vip"
    } >"$dir/hosts"
    awk 'BEGIN { printf "[" }
        { gsub(/[^,]+/, "\"&\"", $5)
          printf "%s\n  {\"name\": \"%s\", \"address\": \"%s\", \"role\": \"%s\", \"servers\": [%s]}", (NR > 1 ? "," : ""), $1, $2, $3, $5 }
        END { print "\n]" }' "$dir/roster" >"$dir/hosts.json"
    local host suite
    while read -r host _ _ suite _; do
        mkdir -p "$dir/disk/$host"/{upper,work,root}
        [[ ! -v bases[$suite] ]] || echo "${bases[$suite]}" >"$dir/bases/$host"
    done <"$dir/roster"
}

# The user's key, the hosts' keys, and files for ssh that name them.
up_keys() {
    local host address
    ssh-keygen -q -t ed25519 -N '' -C "deploy@$lab" -f "$dir/ssh_key"
    while read -r host address _; do
        ssh-keygen -q -t ed25519 -N '' -C "root@$host" -f "$dir/keys/$host"
        printf '%s,%s %s\n' "$host" "$address" "$(cut -d' ' -f1,2 "$dir/keys/$host.pub")"
    done <"$dir/roster" >"$dir/known_hosts"
    {
        awk '{ printf "Host %s\n    HostName %s\n    HostKeyAlias %s\n", $1, $2, $1 }' "$dir/roster"
        cat <<END
Host *
    User deploy
    IdentityFile $dir/ssh_key
    IdentitiesOnly yes
    UserKnownHostsFile $dir/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    PasswordAuthentication no
    UpdateHostKeys no
END
    } >"$dir/ssh_config"
}

# Starts all hosts side by side, a dozen at a time.
up_hosts() {
    local lab=$1 host failed=0 starting=()
    for host in $(roster_hosts "$lab"); do
        if ((${#starting[@]} >= 12)); then
            wait "${starting[0]}" || failed=1
            up_goes_on
            starting=("${starting[@]:1}")
        fi
        up_host "$lab" "$host" &
        starting+=("$!")
    done
    for host in "${starting[@]}"; do
        wait "$host" || failed=1
        up_goes_on
    done
    ((!failed)) || die "the lab \`$lab\` can't be brought up"
}

up_host() {
    trap - EXIT INT TERM HUP
    exec {LOCK}>&-
    host_start "$1" "$2" && return
    tail -n 15 "$dir/console/$2.log" | sed "s/^/$2: /" >&2
    return 1
}
