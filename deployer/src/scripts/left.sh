# shellcheck shell=sh
# What a deployment has left on the host, one fact a line; changes nothing. NAMES (that packages may have) SERVICE…
echo "service $(service_state)"
# shellcheck disable=SC2086 # a list, split on purpose
[ -z "$NAMES" ] || rpm -q --qf 'installed %{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' $NAMES 2>&1 | while IFS= read -r line; do
    case $line in
    'installed '*) echo "$line" ;;
    'error: '*) echo "${line#error: }" >&2; exit 1 ;;
    esac
done
