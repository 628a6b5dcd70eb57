#!/bin/sh
# SPDX-License-Identifier: ISC
# When passwords cannot be checked in time: bounded waiting, 503, and no
# trouble for those who need no check.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
CONF_AUTHD='limits: {check_timeout: 1s, check_queue: 4}'
start_authd

check "alice is known" answers 200 alice:alice-pw
for pid in $(pids verifier); do
	kill -STOP "$pid"
done
ask bob:bob-pw ''
expect_status 503 "no verifier answers"
expect_json '.errors[0].code == "UNAVAILABLE"'
check "Retry-After is a number" [ "$(header Retry-After)" -ge 1 ]
check "cached credentials go on" answers 200 alice:alice-pw
check "anonymous users go on" answers 200 - 'scope=repository:public/a:pull'

# Two with the verifiers, four that wait; the rest is refused at once.
for n in $(seq 1 30); do
	curl -sS -m 10 -o /dev/null -w '%{http_code} %{time_total}\n' \
	    -u "user$n:x" "http://$AUTHD/token" &
	PIDS="$PIDS $!"
done >"$T/times"
all_there() {
	[ "$(wc -l <"$T/times")" -eq 30 ]
}
check "all are answered" wait_until 5 all_there
expect "all with 503" 30 "$(grep -c '^503 ' "$T/times")"
check "most of them at once" [ "$(awk '$2 < 0.9' "$T/times" |
    wc -l)" -ge 20 ]

for pid in $(pids verifier); do
	kill -CONT "$pid"
done
check "they go on as before" wait_until 5 answers 200 bob:bob-pw

stop_authd
CONF_AUTHD='limits: {check_queue: 1}'
start_authd

# A cluster pulls: one password from many hosts at once costs one check.
for n in $(seq 1 60); do
	curl -sS -m 10 -o /dev/null -w '%{http_code}\n' \
	    -u admin:admin-pw "http://$AUTHD/token" &
	PIDS="$PIDS $!"
done >"$T/codes"
all_good() {
	[ "$(grep -c 200 "$T/codes")" -eq 60 ]
}
check "sixty hosts with one password" wait_until 15 all_good
