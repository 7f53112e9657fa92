# shellcheck shell=sh
# Makes the file that has the check page fail, or removes it. What is there already keeps its time. FILE TO
if [ "$TO" = in ]; then
    [ -e "$FILE" ] || exit 0
    cut -d. -f1 /proc/uptime >"$FILE.returned" && rm -f "$FILE"
else
    [ ! -e "$FILE" ] || exit 0
    cut -d. -f1 /proc/uptime >"$FILE.new" && mv -f "$FILE.new" "$FILE" && rm -f "$FILE.returned"
fi
