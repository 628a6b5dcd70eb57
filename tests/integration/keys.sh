# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests of keys and profiles, after lib.sh and authd.sh.
#
#   rotate [OPTION]...       a new key by the token CA, and authd has it
#   make_token_ca            a CA and a first key of it in $T/keys
#   service_token SERVICE    print a token of alice's for that service
#   opens [NAME]             /v2/ with $TOKEN: 200; closed: 401
#   ready_lines N

ready_lines() {
	[ "$(grep -c 'msg=ready' "$AUTHD_LOG")" -eq "$1" ]
}

make_token_ca() {
	mkdir -p "$T/keys"
	"$BUILD/authctl" key ca -o "$T/keys" >>"$T/authctl.log" 2>&1 &&
	    "$BUILD/authctl" key rotate -o "$T/keys" "$@" \
	    >>"$T/authctl.log" 2>&1 || die "authctl key ca, key rotate"
	rotations=1
}

rotate() {
	"$BUILD/authctl" key rotate -o "$T/keys" "$@" >>"$T/authctl.log" \
	    2>&1 || die "authctl key rotate"
	rotations=$((rotations + 1))
	kill -HUP "$AUTHD_PID"
	wait_until 10 ready_lines "$rotations" || die "authd has no new key"
}

service_token() {
	curl -sS -m 20 -u alice:alice-pw \
	    "http://$AUTHD/token?service=$1&scope=repository:alice/app:pull" |
	    jq -r .token
}

# PART TOKEN: header (1) or claims (2).
part_of() {
	echo "$2" | cut -d . -f "$1" | tr '_-' '/+' | base64 -d 2>/dev/null
}

is_status() {
	req GET /v2/
	[ "$status" = "$1" ]
}

opens() {
	check "$1" is_status 200
}

closed() {
	check "$1" is_status 401
}
