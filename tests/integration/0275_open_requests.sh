#!/bin/sh
# SPDX-License-Identifier: ISC
# A source that keeps very many requests waiting, with one and the same
# password, does not take the places of others.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
CONF_AUTHD='proxies: [127.0.0.1]
limits: {connections: 4096, check_timeout: 3s}'
start_authd
check "alice is known" from 192.0.2.2 200 alice:alice-pw
for pid in $(pids verifier); do
	kill -STOP "$pid"
done

# More than the 1,024 that one source may have, by two clients.
yes "many $(printf bob:wrong | base64) 192.0.2.1" | head -n 800 \
    >"$T/requests"
clients=
for n in 1 2; do
	ask_many 800 <"$T/requests" >"$T/times.$n" &
	clients="$clients $!"
done
PIDS="$PIDS $clients"
refused() {
	[ "$(grep -Ec 'peer=192.0.2.1.*result=throttled' "$AUTHD_LOG")" \
	    -ge "$1" ]
}
check "what is too much is refused at once" wait_until 2 refused 500
check "others get in meanwhile" from 192.0.2.2 200 alice:alice-pw
# shellcheck disable=SC2086
wait $clients
cat "$T/times.1" "$T/times.2" >"$T/times"
expect "all are answered" 1600 "$(grep -Ec ' (429|503) ' "$T/times")"
expect "as many as may wait did" 1024 "$(grep -c ' 503 ' "$T/times")"
refuse "each of the others was told when to come again" \
    grep -Eq ' 429 [0-9.]+ -' "$T/times"
for pid in $(pids verifier); do
	kill -CONT "$pid"
done
check "and then finds its places free" \
    wait_until 10 from 192.0.2.1 200 bob:bob-pw
