# shellcheck shell=sh
# Undeploys all versions but the highest: at once where they have no sessions, the others when the time is over.
# CONTEXT FORCE (yes: whatever sessions there are). Prints what is left.
versions=$(manager_versions) || exit
highest=$(printf '%s\n' "$versions" | cut -d' ' -f1 | LC_ALL=C sort | tail -n 1)
printf '%s\n' "$versions" | while read -r version sessions _; do
    [ "$version" != "$highest" ] || continue
    if [ "$FORCE" = yes ] || [ "$sessions" = 0 ]; then
        manager_undeploy "$version" || exit
    else
        echo "$version $sessions"
    fi
done
