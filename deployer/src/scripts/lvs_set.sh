# shellcheck shell=sh
# Sets the weight of a real server to 0, or back to what it was. SERVICE (such as `-t 10.0.0.1:80`) SERVER TO
# `-e` takes everything anew: the forwarding method and the thresholds come from the rule as it is.
rule=$(ipvsadm -Sn | awk -v service="$SERVICE" -v server="$SERVER" '
    $1 == "-a" && $2 " " $3 == service {
        for (i = 4; i < NF; i++)
            if ($i == "-r" && ($(i + 1) == server || index($(i + 1), server ":") == 1)) { sub(/^-a/, "-e"); print; exit }
    }')
[ -n "$rule" ] || { echo "\`ipvsadm -Sn\` has no \`$SERVICE -r $SERVER\`" >&2; exit 1; }
weight=$(printf '%s\n' "$rule" | sed -n 's/.* -w \([0-9][0-9]*\).*/\1/p')
kept=/var/lib/pkg/lvs/$(printf '%s %s' "$SERVICE" "$SERVER" | tr -c 'A-Za-z0-9.\n' _)
if [ "$TO" = in ]; then
    [ "${weight:-1}" = 0 ] || exit 0
    new=$(cat "$kept" 2>/dev/null || echo 1)
else
    [ "${weight:-1}" != 0 ] || exit 0
    mkdir -p /var/lib/pkg/lvs && printf '%s\n' "${weight:-1}" >"$kept.new" && mv -f "$kept.new" "$kept" || exit
    new=0
fi
# shellcheck disable=SC2046 # words, split on purpose
ipvsadm $(printf '%s\n' "$rule" | sed 's/ -w [0-9]*//') -w "$new"
