#!/bin/sh
# SPDX-License-Identifier: ISC
# A configuration that cannot work ends the start, with one clear line that
# says what to do.
cd "$(dirname "$0")" && . ./lib.sh

# A configuration that cannot work ends the start, with one clear line.
# $1: name, $2: what the log says, $3: sed script for the configuration
check_bad_start() {
	sed "$3" "$T/registryd.yml" >"$T/bad.yml"
	timeout 10 "$BUILD/registryd" -f "$T/bad.yml" >"$T/bad.log" 2>&1
	expect "$1: exit status" 1 $?
	check "$1: reason" grep -q "$2" "$T/bad.log"
}

check_bad_starts() {
	echo "not a certificate" >"$T/bad.pem"
	auth="auth: {token: {realm: 'http://127.0.0.1/', service: s,"
	auth="$auth issuer: i, rootcertbundle: $T/bad.pem}}"
	check_bad_start "bad token roots" \
	    'auth.token.rootcertbundle: .*/bad.pem: no certificate' "\$a $auth"
	check_bad_start "certificate is a directory" \
	    "http.tls.certificate: $T: Is a directory" \
	    "s|^  addr: .*|&\n  tls: {certificate: $T, key: $T/bad.pem}|"
	mkfifo "$T/fifo"
	check_bad_start "token roots are a FIFO" \
	    'auth.token.rootcertbundle: .*/fifo: not a regular file' \
	    "\$a $(echo "$auth" | sed s/bad.pem/fifo/)"
	echo "$auth" | sed s/bad.pem/absent/ | cat "$T/registryd.yml" - \
	    >"$T/note.yml"
	check "-n takes a file that is absent" \
	    sh -c "'$BUILD/registryd' -n -f '$T/note.yml' 2>'$T/note'"
	check "-n notes it" grep -q \
	    'note: auth.token.rootcertbundle: .*/absent: No such file' "$T/note"
	check_bad_start "root directory is a file" \
	    'rootdirectory: .*/bad.pem: Not a directory' \
	    "s|rootdirectory: [^}]*|rootdirectory: $T/bad.pem|"
	is_root || return 0
	check_bad_start "no such user" \
	    'registryd.user: .* no user _nobody_has_this: create it with' \
	    's/ user: .*/ user: _nobody_has_this/'
	check_bad_start "one user for both" 'must not own' \
	    's/worker_user: .*/worker_user: "62001:62001"/'
	chown 0:0 "$STORE"
	check_bad_start "store of somebody else" \
	    "chown -R 62001:62001 $STORE" ''
	chown 62001:62001 "$STORE"
	chmod 700 "$STORE"
	check_bad_start "store that workers cannot read" \
	    "chmod -R g+rX $STORE" ''
	chmod 750 "$STORE"
	blobs=$STORE/docker/registry/v2/blobs
	mkdir -p "$blobs"
	chown -R 62001:62001 "$STORE"
	mount -t tmpfs -o mode=750,uid=62001,gid=62001 registryd "$blobs" ||
	    fail "cannot mount a tmpfs"
	check_bad_start "blobs on another file system" \
	    "$blobs is another file system than $STORE" ''
	umount "$blobs"
	mkdir -m 755 "$T/ro"
	mount -t tmpfs -o ro,mode=750,uid=62001,gid=62001 registryd \
	    "$T/ro" || fail "cannot mount a tmpfs"
	check_bad_start "a read-only file system" \
	    'Read-only file system: .* storage.maintenance.readonly.enabled' \
	    "s|rootdirectory: [^}]*|rootdirectory: $T/ro|"
	umount "$T/ro"
}

# The address is taken by the registryd that runs.
check_taken_address() {
	check_bad_start "address is taken" \
	    'http.addr: .*address already in use: another program' \
	    "s/addr: .*/addr: $REGISTRY/"
}

start_registryd
check_taken_address
stop_registryd
check_bad_starts
