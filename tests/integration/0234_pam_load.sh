#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# The delay that pam_unix asks for after a failure keeps no verifier from
# its work, and helpers are replaced after so many checks.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh
pam_service 'auth required pam_unix.so' 'account required pam_unix.so'
make_account alice
make_account bob SHA512
start_pam 'verifiers: 1' 'recycle: 10'

# One verifier: with the delay of one to three seconds for each of them, the
# last would have to wait for a minute, and get 503.
for n in $(seq 1 30); do
	curl -sS -m 30 -o /dev/null -w '%{http_code}\n' -u "$bob:wrong-$n" \
	    "http://$AUTHD/token" &
	PIDS="$PIDS $!"
done >"$T/codes"
ask "$alice:alice-pw" ''
expect_status 200 "a right password among wrong ones"
answered() {
	[ "$(wc -l <"$T/codes")" -eq "$1" ]
}
check "all are answered" wait_until 10 answered 30
expect "all with 401" 30 "$(grep -c 401 "$T/codes")"

for n in $(seq 1 12); do
	helper_pids >>"$T/helpers"
	answers 200 "$alice:alice-pw" || fail "check $n" "$status"
done
check "the helper was replaced" [ "$(sort -u "$T/helpers" | wc -l)" -ge 2 ]
check "one at a time" [ "$(helper_pids | wc -l)" -eq 1 ]
verifier=$(pids verifier-pam)

# Killed from outside: the next check gets a new one.
kill -KILL "$(helper_pids)"
check "a check after the helper was killed" answers 200 "$alice:alice-pw"
expect "the verifier is the same" "$verifier" "$(pids verifier-pam)"
is_replaced() {
	[ -n "$(pids verifier-pam)" ] &&
	    [ "$(pids verifier-pam)" != "$verifier" ]
}
helper=$(helper_pids)
kill -KILL "$verifier"
check "a verifier that is killed is replaced" wait_until 5 is_replaced
check "its helper went with it" wait_until 2 is_gone "$helper"
check "and the new one works" wait_until 5 answers 200 "$alice:alice-pw"

# A new configuration, and the end.
kill -HUP "$AUTHD_PID"
verifier=$(pids verifier-pam)
check "a reload brings a new one" wait_until 10 is_replaced
check "which works" answers 200 "$alice:alice-pw"
all=$(children "$AUTHD_PID"; helper_pids)
stop_authd
for pid in $all; do
	check "process $pid is gone" is_gone "$pid"
done
