#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryd.htpasswd.failures: who guesses too often is refused for a while,
# and who is known, or guesses the same again and again, is not.
cd "$(dirname "$0")" && . ./lib.sh

# One worker: each counts for itself.
CONF_REGISTRYD="  workers: 1
  htpasswd: {failures: 4, penalty: 4s, failure_time: 0s}"
CONF_TOP="auth:
  htpasswd: {realm: test, path: $T/htpasswd}"
if is_root; then
	CONF_REGISTRYD="$CONF_REGISTRYD
  verifier_user: \"62003:62003\""
fi
make_users
start_registryd

login() {
	req GET /v2/ -u "$1"
}
answers() {
	login "$2"
	[ "$status" = "$1" ]
}
login alice:alice-pw
expect_status 200 "alice is known"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	login bob:old-password
done
expect_status 401 "the same wrong password counts once"
login bob:guess-1
login bob:guess-2
expect_status 401 "three different ones"
login bob:bob-pw
expect_status 200 "are not too many"
login nobody:guess-3
expect_status 401 "a fourth is still a 401"
login admin:admin-pw
expect_status 429 "then even a right one is refused"
expect_code TOOMANYREQUESTS
check "and told when to come again" [ "$(header Retry-After)" -ge 1 ]
expect_no_header WWW-Authenticate
login bob:guess-4
expect_status 429 "and a wrong one is not looked at"
login alice:alice-pw
expect_status 200 "who is known gets on"
check "after the penalty it is good" wait_until 8 answers 200 admin:admin-pw
check "the log has it" log_has "$REGISTRYD_LOG" \
    'err.code=toomanyrequests.*http.response.status=429'
refuse "and no password" grep -q guess- "$REGISTRYD_LOG"

# Many at once get no further.
for n in $(seq 8); do
	curl -s -o /dev/null -m 20 -w '%{http_code}\n' -u "bob:more-$n" \
	    "http://$REGISTRY/v2/" &
	PIDS="$PIDS $!"
done >"$T/codes"
all_there() {
	[ "$(wc -l <"$T/codes")" -eq 8 ]
}
check "eight at once" wait_until 20 all_there
check "hear of four, or hardly more: $(grep -c 401 "$T/codes")" \
    [ "$(grep -c 401 "$T/codes")" -le 4 ]
