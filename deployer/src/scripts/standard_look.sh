# shellcheck shell=sh
# Says of each item of the standard set-up whether the host has it: `NUMBER ok`, or `NUMBER differs WHY`, then for a file
# `NUMBER has LINE` for each line that it has. Changes nothing. ITEMS (one a line)
number=0
printf '%s\n' "$ITEMS" | while read -r kind name mode owner sum; do
    number=$((number + 1))
    case $kind in
    file | directory)
        if ! [ -e "$name" ]; then
            echo "$number differs it is not there"
            continue
        fi
        found="$(stat -c '%a %U:%G' "$name")"
        if [ "$kind" = directory ] && ! [ -d "$name" ]; then
            echo "$number differs it is no directory"
        elif [ "$kind" = file ] && [ "$(sha256sum <"$name" | cut -d' ' -f1)" != "$sum" ]; then
            echo "$number differs it has other lines"
            sed "s/^/$number has /" "$name"
        elif [ "$found" != "$mode $owner" ]; then
            echo "$number differs it has mode and owner $found"
        else
            echo "$number ok"
        fi
        ;;
    package)
        if rpm -q "$name" >/dev/null 2>&1 || rpm -q --whatprovides "$name" >/dev/null 2>&1; then
            echo "$number ok"
        else
            echo "$number differs it is not installed"
        fi
        ;;
    service)
        state=$(systemctl is-enabled "$name" 2>&1 | tail -n 1)
        if [ "$state" = enabled ]; then echo "$number ok"; else echo "$number differs it is $state"; fi
        ;;
    esac
done
