# shellcheck shell=sh
# Tells Apache's balancer-manager what to do with a worker. URL FORM (already encoded)
curl -gksS --fail -m 10 -o /dev/null -H "Referer: $URL" --data "$FORM" "$URL"
