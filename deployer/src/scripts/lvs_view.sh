# shellcheck shell=sh
# Prints LVS's table; changes nothing. No variables.
ipvsadm -Ln
