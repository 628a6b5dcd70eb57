#!/bin/sh
# SPDX-License-Identifier: ISC
# 500 users log in at the same moment, with hashes that take 50 seconds in
# all: some get in, the others are told at once to come later, and those who
# need no check do not notice.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh

command -v htpasswd >/dev/null || die "there is no htpasswd(1)"
USERS=500
hash=$(htpasswd -B -C 12 -bn x secret | cut -d : -f 2)
for n in $(seq "$USERS"); do
	echo "user$n:$hash"
done >"$T/htpasswd"
echo "early:$hash" >>"$T/htpasswd"
chmod 600 "$T/htpasswd"
CONF_THROTTLE='{checks_per_source: 0}'
start_authd
check "one user is known" answers 200 early:secret

for n in $(seq "$USERS"); do
	requests 1 storm "user$n:secret"
done >"$T/requests"
ask_many "$USERS" <"$T/requests" >"$T/times" &
storm=$!
PIDS="$PIDS $storm"
sleep 0.5
{ requests 100 anonymous - && requests 100 cached early:secret; } |
    shuf | ask_many 1 >"$T/meanwhile"
curl -sS -m 10 -o /dev/null -w 'health %{http_code} %{time_total}\n' \
    "http://$AUTHD/" >>"$T/meanwhile"
check "the storm goes on meanwhile" kill -0 "$storm"
wait "$storm"

expect "all are answered" "$USERS" "$(wc -l <"$T/times")"
in=$(grep -c ' 200 ' "$T/times")
later=$(grep -Ec ' (429|503) [0-9.]+ [0-9]+$' "$T/times")
expect "in, or told when to come back" "$USERS" $((in + later))
check "what fits the deadline gets in: $in" [ "$in" -ge 5 ]
check "most others hear at once" awk '$2 != 200 && $3 < 2 { n++ }
    END { exit n < 400 }' "$T/times"
check "nobody hangs: $(sort -k 3 -n "$T/times" | tail -n 1)" \
    awk '$3 > 10 { exit 1 }' "$T/times"
expect "the others get their tokens" 201 "$(grep -c ' 200 ' "$T/meanwhile")"
check "99 of 100 within 50 ms: $(sort -k 3 -n "$T/meanwhile" |
    tail -n 3 | tr '\n' ' ')" \
    awk '$3 > 0.05 { n++ } END { exit n > NR / 100 }' "$T/meanwhile"

# One source alone cannot fill the queue.
stop_authd
CONF_AUTHD='proxies: [127.0.0.1]'
CONF_THROTTLE='{checks_per_source: 10}'
start_authd
sed 's/-$/192.0.2.1/' "$T/requests" | head -n 100 |
    ask_many 100 >"$T/times" &
storm=$!
PIDS="$PIDS $storm"
sleep 0.3
check "another address gets in" from 192.0.2.2 200 early:secret
wait "$storm"
expect "ten of the one address get in" 10 "$(grep -c ' 200 ' "$T/times")"
expect "the others wait" 90 "$(grep -c ' 429 [0-9.]* [0-9]*$' "$T/times")"
