#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The daemons work with the rights that their systemd units leave them.
cd "$(dirname "$0")" && . ./lib.sh

is_root || skip "capabilities are taken away by root"

# The command that takes away all but what the unit names.
confine() {
	sed -n 's/^CapabilityBoundingSet=//p' \
	    "$TESTS/../etc/systemd/$1.service" | tr ' ' '\n' |
	    sed 's/^CAP_/+/' | tr 'A-Z\n' 'a-z,' | sed 's/,$//'
}

mkdir "$T/confined"
for daemon in registryd authd; do
	caps=$(confine $daemon)
	cat >"$T/confined/$daemon" <<-SCRIPT
	#!/bin/sh
	exec setpriv --bounding-set=-all,$caps --no-new-privs \
	    $BUILD/$daemon "\$@"
	SCRIPT
	chmod 755 "$T/confined/$daemon"
done
ln -s "$BUILD/authctl" "$T/confined/authctl"
BUILD=$T/confined

CONF_AUTHD="credentials: {database: $T/vault/c.db, user: \"62016:62016\"}"
install -d -o 62016 -g 62016 -m 700 "$T/vault"
start_authd
token=$("$BUILD/authctl" -f "$T/authd.yml" token new alice 2>/dev/null)
req GET "http://$AUTHD/token" -u "alice:$token"
expect_status 200 "a token from the vault"
start_registryd
caps=$(awk '/^CapBnd:/ { print $2 }' "/proc/$REGISTRYD_PID/status")
refuse "registryd is confined" [ "$caps" = \
    "$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)" ]
TOKEN=$(token alice:alice-pw repository:alice/app:pull,push,delete)
make_image alice/app 1 >/dev/null
expect_status 201 "push"
req GET /v2/alice/app/manifests/1
expect_status 200 "pull"
expect "the manifest's bytes" "$made" "$(digest "$T/body")"
req DELETE /v2/alice/app/manifests/1
expect_status 202 "delete"

# The parent may end and restart children that have another user.
child=$(children "$REGISTRYD_PID" worker | head -n 1)
kill -KILL "$child"
has_two_workers() {
	[ "$(children "$REGISTRYD_PID" worker | wc -l)" -eq 2 ]
}
check "a worker comes back" wait_until 10 has_two_workers
old=$(children "$REGISTRYD_PID" keeper | head -n 1)
kill -HUP "$REGISTRYD_PID"
check "a reload replaces the children" wait_until 20 is_gone "$old"
pid=$REGISTRYD_PID
all=$(children "$pid")
stop_registryd
for child in $all; do
	check "child $child has ended" is_gone "$child"
done
