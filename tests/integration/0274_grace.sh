#!/bin/sh
# SPDX-License-Identifier: ISC
# When nobody can check passwords: 503, and with a grace time known users go
# on as if nothing were.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
CONF_AUTHD='limits: {check_timeout: 1s, cache_ttl: 500ms}
grace: 10s'
start_authd

check "alice is known" answers 200 alice:alice-pw
check "a wrong password is none" answers 401 bob:wrong
sleep 0.6
verifiers=$(pids verifier)
for pid in $verifiers; do
	kill -STOP "$pid"
done
check "she gets in while nobody can check" \
    answers 200 alice:alice-pw scope=repository:alice/a:pull
expect_access repository:alice/a:pull "with her rights"
check "the audit record says why" log_has "$AUTHD_LOG" \
    'token issued.*reason="grace: could not be checked"'
start=$(date +%s%N)
check "the next time" answers 200 alice:alice-pw
check "without a wait" [ $((($(date +%s%N) - start) / 1000000)) -lt 500 ]
ask bob:bob-pw ''
expect_status 503 "bob was not here before"
check "Retry-After is there" [ "$(header Retry-After)" -ge 1 ]
ask bob:wrong ''
expect_status 503 "nor is a wrong password ever a 401 now"
ask alice:wrong ''
expect_status 503 "nor hers"
for pid in $verifiers; do
	kill -CONT "$pid"
done
check "bob gets in again" wait_until 5 answers 200 bob:bob-pw

# What is found wrong is not known any more.
echo other-pw | "$BUILD/authctl" passwd -p "$T/htpasswd" alice >/dev/null
wait_until 5 answers 401 alice:alice-pw
check "her old password is wrong now" answers 401 alice:alice-pw
for pid in $(pids verifier); do
	kill -STOP "$pid"
done
ask alice:alice-pw ''
expect_status 503 "and has no grace"
for pid in $(pids verifier); do
	kill -CONT "$pid"
done
stop_authd

CONF_AUTHD='limits: {check_timeout: 1s, cache_ttl: 500ms}'
start_authd
check "without grace alice is known" answers 200 alice:other-pw
sleep 0.6
for pid in $(pids verifier); do
	kill -STOP "$pid"
done
check "but not for longer" answers 503 alice:other-pw
for pid in $(pids verifier); do
	kill -CONT "$pid"
done
