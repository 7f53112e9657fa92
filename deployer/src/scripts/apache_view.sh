# shellcheck shell=sh
# Prints Apache's balancer-manager page; changes nothing. URL
curl -gksS --fail -m 10 "$URL"
