# shellcheck shell=sh
# Says of each item of the standard set-up whether the host has it: `NUMBER ok`, or `NUMBER differs WHY`, then for a file
# `NUMBER has LINE` for each line that it has. Changes nothing. ITEMS (one a line)
starts_with_the_host() {
    if [ -d /run/systemd/system ]; then
        systemctl is-enabled "$1" 2>&1 | tail -n 1
    elif ! [ -e "/etc/init.d/$1" ]; then
        echo not-found
    elif ls /etc/rc2.d /etc/rc3.d /etc/rc4.d /etc/rc5.d 2>/dev/null | sed -n 's/^S[0-9][0-9]//p' | grep -qxF -e "$1"; then
        echo enabled
    else
        echo disabled
    fi
}
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
        state=$(starts_with_the_host "$name")
        if [ "$state" = enabled ]; then echo "$number ok"; else echo "$number differs it is $state"; fi
        ;;
    esac
done
