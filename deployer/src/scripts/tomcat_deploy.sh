# shellcheck shell=sh
# Has a running Tomcat deploy the package's WAR beside what it serves: new sessions go to the highest version.
# CONTEXT WAR VERSION
[ -r "$WAR" ] || { echo "\`$WAR\` is not there: does the package install it?" >&2; exit 1; }
[ -r "$CREDENTIALS" ] || { echo "\`$CREDENTIALS\` is not there" >&2; exit 1; }
# Whoever was just started needs its time until the manager answers.
patience=10
case $(service_state) in
active | reloading) ;;
*)
    service_do start || exit
    patience=60
    ;;
esac
waited=0
until manager_ask list >/dev/null 2>&1; do
    if [ "$waited" -ge "$patience" ]; then
        manager_ask list >&2
        echo "Tomcat's manager does not answer at \`$URL\`" >&2
        exit 1
    fi
    waited=$((waited + 1))
    sleep 1
done
said=$(manager_ask "deploy?path=$CONTEXT&version=$VERSION&update=true&war=file:$WAR")
deployed=$?
# An application that fails to start is there all the same, and would be in the way of the next.
state=$(manager_versions | awk -v version="$VERSION" '$1 == version { print $3 }')
if [ "$deployed" != 0 ] || [ "$state" != running ]; then
    [ -z "$state" ] || manager_undeploy "$VERSION"
    printf '%s\n' "${said:-no answer from the manager}" >&2
    exit 1
fi
