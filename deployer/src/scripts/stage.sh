# shellcheck shell=sh
# Downloads what is to be installed and what would be gone back to, and changes nothing else.
# MANAGER REPOSITORIES UP DOWN BACK (installed now; may be empty)
# shellcheck disable=SC2086 # a list, split on purpose
{
    manager_move --downloadonly manager_fresh >&2 || exit
    # Not from the cache alone: whoever installed it by hand kept no file of it.
    [ -z "$BACK" ] || manager reinstall --downloadonly $BACK >&2 || exit
}
