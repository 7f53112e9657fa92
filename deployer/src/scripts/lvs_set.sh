# shellcheck shell=sh
# Sets the weight of a host's real servers to 0, or back to what it was. SERVICE (such as `-t 10.0.0.1:80`) SERVER (an
# address, with or without a port) TO
# Exit code 78: weight 0 would not drain.
# What it was is kept in a file for each real server: `WEIGHT SERVICE SERVER`.
known=/var/lib/pkg/lvs
tables=$(ipvsadm -Sn && ipvsadm -Ln --thresholds) || exit
template=0
[ ! -r /proc/sys/net/ipv4/vs/expire_quiescent_template ] || read -r template </proc/sys/net/ipv4/vs/expire_quiescent_template
# `-e` sets everything anew: the rule as it is, without its weight. `-S` leaves out the thresholds, which stand in the
# table after the rules: TCP and FWM there are `-t` and `-f` here.
servers=$(printf '%s\n' "$tables" | awk -v service="$SERVICE" -v server="$SERVER" -v template="$template" '
    $2 " " $3 == service && $1 == "-A" {
        if (/ -p / && template != 1) print "persistent"
        for (i = 4; i < NF; i++)
            if ($i == "-s" && ($(i + 1) == "dh" || ($(i + 1) ~ /^[ms]h$/ && !/[ms]h-fallback/))) print "maps", $(i + 1)
    }
    $2 " " $3 == service && $1 == "-a" {
        name = weight = rule = ""
        for (i = 2; i <= NF; i++) {
            if ($i == "-w") { weight = $++i; continue }
            if ($i == "-r") name = $(i + 1)
            rule = rule " " $i
        }
        if (name != server && index(name, server ":") != 1) next
        names[++count] = name
        weights[count] = weight
        rules[count] = rule
    }
    $1 == "TCP" || $1 == "UDP" || $1 == "SCTP" || $1 == "FWM" {
        inside = ($1 == "TCP" ? "-t " : $1 == "FWM" ? "-f " : "") $2 == service
    }
    inside && $1 == "->" { thresholds[$2] = ($3 > 0 ? " -x " $3 : "") ($4 > 0 ? " -y " $4 : "") }
    END {
        for (i = 1; i <= count; i++) {
            file = service " " names[i]
            gsub(/[^A-Za-z0-9.]/, "_", file)
            print "server", file, names[i], weights[i], rules[i] thresholds[names[i]]
        }
    }')
case $servers in
*'server '*) ;;
*)
    # A checker such as keepalived removes what is down, and adds it again once it is up.
    find "$known" -type f -exec cat {} + 2>/dev/null | awk -v service="$SERVICE" -v server="$SERVER" '
        $2 " " $3 == service && ($4 == server || index($4, server ":") == 1) { found = 1 } END { exit !found }' && exit 0
    echo "\`ipvsadm -Sn\` has no \`$SERVICE -r $SERVER\`" >&2
    exit 1
    ;;
esac
[ "$TO" = in ] || case $servers in
persistent*)
    echo "\`$SERVICE\` is persistent: known clients would go on being sent to a server of weight 0;" \
        "set the sysctl \`net.ipv4.vs.expire_quiescent_template\` to 1" >&2
    exit 78
    ;;
maps*)
    echo "the scheduler of \`$SERVICE\` (\`sh\` or \`mh\` without its fallback, or \`dh\`) refuses the clients of a server" \
        "of weight 0; give it \`-b sh-fallback\` or \`-b mh-fallback\`, or take another" >&2
    exit 78
    ;;
esac
printf '%s\n' "$servers" | while read -r is file real weight rule; do
    [ "$is" = server ] || continue
    if [ "$TO" = in ]; then
        [ "$weight" = 0 ] || continue
        new=1
        [ ! -f "$known/$file" ] || read -r new _ <"$known/$file"
    else
        [ "$weight" != 0 ] || continue
        mkdir -p "$known" && printf '%s %s %s\n' "$weight" "$SERVICE" "$real" >"$known/$file.new" &&
            mv -f "$known/$file.new" "$known/$file" || exit
        new=0
    fi
    # shellcheck disable=SC2086 # words, split on purpose; that `[` begins no pattern is seen to
    ipvsadm -e $rule -w "$new" || exit
done
