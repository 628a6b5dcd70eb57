#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGHUP: a new configuration beside the old one, and a bad one that changes
# nothing.
cd "$(dirname "$0")" && . ./lib.sh && . ./processes.sh

is_replaced() {
	now=$(children "$REGISTRYD_PID" | sort | tr '\n' ' ')
	[ "$(echo "$now" | wc -w)" -eq "$(echo "$1" | wc -w)" ] || return 1
	for pid in $1; do
		case " $now" in
		*" $pid "*) return 1 ;;
		esac
	done
}

# Requests without a pause while $T/go exists; one line for each failure.
hammer() {
	: >"$T/hammer"
	while [ -e "$T/go" ]; do
		code=$(curl -s -o /dev/null -w '%{http_code}' -m 5 \
		    "http://$REGISTRY/v2/")
		[ "$code" = 200 ] || echo "$code" >>"$T/hammer"
	done
}

check_reload() {
	before=$(children "$REGISTRYD_PID" | tr '\n' ' ')
	: >"$T/go"
	hammer &
	hammer_pid=$!
	reload 'msg=reloaded' 1
	check "SIGHUP replaces all children" wait_until 10 is_replaced "$before"
	rm "$T/go"
	wait "$hammer_pid"
	expect "no request fails during a reload" "" "$(cat "$T/hammer")"
	check "the parent stays" kill -0 "$REGISTRYD_PID"
}

# $1: name, $2: lines for the end of the configuration
check_bad_reload() {
	before=$(children "$REGISTRYD_PID" | sort)
	kept=$((${kept:-0} + 1))
	cp "$T/registryd.yml" "$T/good.yml"
	printf '%s\n' "$2" >>"$T/registryd.yml"
	reload 'old one stays' "$kept"
	expect "$1: the old children stay" "$before" \
	    "$(children "$REGISTRYD_PID" | sort)"
	req GET /v2/
	expect_status 200 "$1: and answer"
	cp "$T/good.yml" "$T/registryd.yml"
}

check_bad_reloads() {
	check_bad_reload "unknown key" "nonsense: 1"
	echo "not a certificate" >"$T/bad.pem"
	check_bad_reload "bad token roots" "auth:
  token: {realm: 'http://127.0.0.1/', service: s, issuer: i,
    rootcertbundle: $T/bad.pem}"
	check_bad_reload "missing file" "auth:
  token: {realm: 'http://127.0.0.1/', service: s, issuer: i,
    rootcertbundle: $T/missing.pem}"
	sed -i "s/addr: .*/addr: 192.0.2.1:1/" "$T/registryd.yml"
	check_bad_reload "address of another machine" ""
	sed -i "s/addr: .*/addr: 127.0.0.1:0/" "$T/registryd.yml"
}

check_new_address() {
	sed -i "s/addr: .*/addr: localhost:0/" "$T/registryd.yml"
	reload 'msg=reloaded' 2
	old=$REGISTRY
	REGISTRY=localhost:$(log_port "$REGISTRYD_LOG")
	refuse "the address is another one" [ "$old" = "$REGISTRY" ]
	req GET /v2/
	expect_status 200 "the new address answers"
	is_deaf() { ! curl -s -o /dev/null -m 2 "http://$old/v2/"; }
	check "the old address does not" wait_until 5 is_deaf
}

# Old workers and keepers finish what they have begun, while new ones serve.
check_reload_during_upload() {
	upload_slowly a/reload
	reload 'msg=reloaded' 3
	req GET /v2/
	expect_status 200 "reload during an upload: the new children answer"
	check "reload during an upload: it goes on" kill -0 "$upload"
	wait "$upload"
	expect "reload during an upload: it is finished" 201 \
	    "$(cat "$T/upload.status")"
	check "reload during an upload: then the old children end" \
	    wait_until 5 five_children
}

count_fds() {
	# shellcheck disable=SC2012
	ls "/proc/$REGISTRYD_PID/fd" | wc -l
}

check_many_reloads() {
	before=$(count_fds)
	for n in 4 5 6 7 8 9 10 11 12 13; do
		reload 'msg=reloaded' "$n"
	done
	check "ten reloads: five children" wait_until 5 five_children
	expect "ten reloads: no descriptor is left over" "$before" \
	    "$(count_fds)"
}

start_registryd
check_reload
check_bad_reloads
check_new_address
check_reload_during_upload
check_many_reloads
