#!/bin/sh
# SPDX-License-Identifier: ISC
# Wrong passwords: who has to wait, and who has not.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
CONF_AUTHD='proxies: [127.0.0.1]'
CONF_THROTTLE='{failures_per_source: 5, failures_per_user: 12, window: 1m,
  penalty: 8s, delay: 1s, floor: 50ms}'
start_authd

# A thousand guesses from one address.
for n in $(seq 1000); do
	echo "g $(printf 'alice:guess-%d' "$n" | base64) 192.0.2.1"
done >"$T/guesses"
ask_many 10 <"$T/guesses" >"$T/times"
expect "a thousand guesses are answered" 1000 "$(wc -l <"$T/times")"
expect "401 or 429" 1000 "$(grep -c ' 4[02][19] ' "$T/times")"
bad=$(grep -c ' 401 ' "$T/times")
check "not many more than 5 are told that they are wrong: $bad" \
    [ "$bad" -ge 5 ] && [ "$bad" -le 15 ]
refuse "each 429 has a Retry-After" grep -Eq ' 429 [0-9.]+ -' "$T/times"
from 192.0.2.1 429 alice:alice-pw
expect_status 429 "the right password has to wait as well"
expect_code TOOMANYREQUESTS
check "Retry-After is within the penalty" \
    [ "$(header Retry-After)" -ge 1 ] && [ "$(header Retry-After)" -le 9 ]
check "the user comes in from elsewhere" from 192.0.2.2 200 alice:alice-pw
check "without credentials nobody waits" from 192.0.2.1 200 -
check "other users of the address wait" from 192.0.2.1 429 bob:bob-pw
check "after the penalty the password is good" \
    wait_until 15 from 192.0.2.1 200 alice:alice-pw

# What counts, and what does not.
requests 50 same bob:old-password 192.0.2.3 | ask_many 5 >"$T/times"
expect "the same wrong password counts once" 50 \
    "$(grep -c ' 401 ' "$T/times")"
for n in $(seq 8); do
	post grant_type=password username=bob password=old-password -- \
	    -H 'X-Forwarded-For: 192.0.2.3'
	expect_status 401 "as a form, as containerd asks first"
done
check "the right one is not refused" from 192.0.2.3 200 bob:bob-pw
for n in $(seq 20); do
	ask - '' -H 'X-Forwarded-For: 192.0.2.4'
done
expect_status 401 "asked for nothing, without credentials"
check "that does not count" from 192.0.2.4 200 admin:admin-pw

for n in 1 2 3 4 5; do
	from "2001:db8:1:2::$n" 401 "carol:guess-$n"
done
check "a /64 network is one source" from 2001:db8:1:2:ffff::1 429 bob:bob-pw
check "the next one is another" from 2001:db8:1:3::1 200 bob:bob-pw

# From everywhere against one user, who has not been here yet.
for n in $(seq 12); do
	from "198.51.100.$n" 401 "admin:guess-$n"
done
start=$(date +%s%N)
check "who is attacked from everywhere comes in" \
    from 203.0.113.9 200 admin:admin-pw
check "at once, as he was here before" \
    [ $((($(date +%s%N) - start) / 1000000)) -lt 700 ]
for n in $(seq 12); do
	from "198.51.101.$n" 401 "dave:guess-$n"
done
start=$(date +%s%N)
check "a guess more gets its 401" from 203.0.113.9 401 dave:guess
took=$((($(date +%s%N) - start) / 1000000))
check "a second later, and no more ($took ms)" \
    [ "$took" -ge 950 ] && [ "$took" -le 2500 ]
start=$(date +%s%N)
check "other users are not slowed" from 203.0.113.9 401 erin:guess
check "not at all" [ $((($(date +%s%N) - start) / 1000000)) -lt 700 ]

check "the log has the refusals" log_has "$AUTHD_LOG" \
    'peer=192.0.2.1.* result=throttled'
refuse "and no password" grep -q guess- "$AUTHD_LOG"
