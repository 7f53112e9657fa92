# shellcheck shell=sh
# Tomcat's manager by its text interface. URL CREDENTIALS
# Prints the answer; fails unless it begins with OK. The password is in no list of processes.
manager_ask() {
    answer=$(printf 'user = "%s"\n' "$(sed -n '1s/["\\]/\\&/gp;1!d;t;1p' "$CREDENTIALS")" |
        curl -gksS --fail -m 120 -K - "$URL/$1") || return
    printf '%s\n' "$answer"
    case $answer in
    OK*) ;;
    *) return 1 ;;
    esac
}

# Prints `version sessions state` for each deployed version of the context path.
manager_versions() {
    listed=$(manager_ask list) || { printf '%s\n' "$listed" >&2; return 1; }
    printf '%s\n' "$listed" | awk -F: -v path="$CONTEXT" '
        $1 == path {
            count = split($4, name, "##")
            print (count > 1 ? name[2] : "-"), $3, $2
        }'
}

manager_undeploy() {
    case $1 in
    -) query="path=$CONTEXT" ;;
    *) query="path=$CONTEXT&version=$1" ;;
    esac
    said=$(manager_ask "undeploy?$query") || { printf '%s\n' "$said" >&2; return 1; }
}
