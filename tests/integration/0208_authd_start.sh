#!/bin/sh
# SPDX-License-Identifier: ISC
# What keeps authd from starting is said at once, all of it, with status 1.
cd "$(dirname "$0")" && . ./lib.sh
make_token_key
make_users
authd_conf >"$T/good.yml"

# NAME SED-SCRIPT PATTERN...
wrong() {
	name=$1
	sed "$2" "$T/good.yml" >"$T/wrong.yml"
	shift 2
	timeout 20 "$BUILD/authd" -f "$T/wrong.yml" >"$T/out" 2>&1
	expect "$name: status" 1 $?
	for pattern; do
		check "$name: $pattern" grep -q -- "$pattern" "$T/out"
	done
}

wrong "files are absent" \
    's,key: .*,key: /no/key,; s,htpasswd: .*,htpasswd: /no/users,' \
    'token.key: /no/key: No such file' \
    'htpasswd: /no/users: .*authctl passwd -p /no/users USER'
openssl genrsa -out "$T/other.key" 2048 2>/dev/null
wrong "a key of another certificate" "s,key: .*,key: $T/other.key," \
    'token.key: .*other.key'
wrong "not a key at all" "s,key: .*,key: $T/htpasswd," 'token.key: '
wrong "half of TLS" '$a\
tls: {certificate: /no/cert}' 'tls: '
wrong "an address of nobody" 's/^listen:.*/listen: 192.0.2.1:1/' 'listen: '
if is_root; then
	wrong "a user that is not there" 's/^user:.*/user: no-such-user/' \
	    'there is no user no-such-user; create it with: useradd'
	wrong "root is refused" 's/^signer_user:.*/signer_user: "0"/' \
	    'signer_user: '
fi
: >"$T/inherited"
start_authd "$T/good.yml" 9<"$T/inherited"
refuse "nothing is kept of what the caller has open" \
    sh -c "ls -l /proc/$AUTHD_PID/fd | grep inherited"
wrong "an address that is taken" "s/^listen:.*/listen: $AUTHD/" 'listen: '
check "-n takes what runs" "$BUILD/authd" -n -f "$T/good.yml"
refuse "a child cannot be started by hand" \
    timeout 5 "$BUILD/authd" -P worker -I 0
"$BUILD/authd" -x >/dev/null 2>&1
expect "usage" 2 $?
check "--version" sh -c "'$BUILD/authd' --version | grep -q '^authd [0-9]'"
