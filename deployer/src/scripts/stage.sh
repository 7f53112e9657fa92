# shellcheck shell=sh
# Downloads what is to be installed and what would be gone back to, and changes nothing else.
# MANAGER REPOSITORIES TARGETS BACK (installed now; may be empty)
# shellcheck disable=SC2086 # lists, split on purpose
{
    manager_fresh install --downloadonly $TARGETS >&2 || exit
    # Not from the cache alone: whoever installed it by hand kept no file of it.
    [ -z "$BACK" ] || manager reinstall --downloadonly $BACK >&2 || exit
}
