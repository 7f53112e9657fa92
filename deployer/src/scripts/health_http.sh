# shellcheck shell=sh
# Makes one request from the host itself; prints the status, the seconds that it took, and the body. URL
command -v curl >/dev/null || { echo "curl is not installed" >&2; exit 127; }
body=$(mktemp) || exit
curl -gks -m 5 --noproxy '*' -o "$body" -w '%{http_code} %{time_total}\n' "$URL" || echo "curl: exit code $?"
head -c 1048576 "$body"
rm -f "$body"
