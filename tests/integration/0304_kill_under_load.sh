#!/bin/sh
# SPDX-License-Identifier: ISC
# kill -9 of each child while clients push: at most the one request of each
# client that is under way fails, and all go on afterwards.
cd "$(dirname "$0")" && . ./lib.sh && . ./processes.sh

CLIENTS="1 2 3 4"

# Push small blobs while $T/go exists, one status for each in a file.
push_all_the_time() {
	blob=$(make_blob 3000)
	query="digest=$(digest "$blob")"
	: >"$T/client.$1"
	n=0
	while [ -e "$T/go" ]; do
		n=$((n + 1))
		curl -s -o /dev/null -w '%{http_code}\n' -m 10 -X POST \
		    --data-binary "@$blob" \
		    "http://$REGISTRY/v2/r$1/n$n/blobs/uploads/?$query" \
		    >>"$T/client.$1"
	done
}

pushed() {
	cat "$T"/client.* | grep -c '^201$'
}

failed() {
	cat "$T"/client.* | grep -vc '^201$'
}

has_pushed() {
	[ "$(pushed)" -ge "$1" ]
}

start_registryd
: >"$T/go"
pids=
for client in $CLIENTS; do
	push_all_the_time "$client" &
	pids="$pids $!"
done
check "clients push" wait_until 10 has_pushed 20

for pid in $(children "$REGISTRYD_PID"); do
	role=$(role_of "$pid")
	before=$(failed)
	kill -9 "$pid"
	# More than are under way: these came after it.
	check "$role killed: pushing goes on" wait_until 10 has_pushed \
	    $(($(pushed) + 20))
	lost=$(($(failed) - before))
	check "$role killed: only what was under way fails ($lost)" \
	    [ "$lost" -le 4 ]
done
rm "$T/go"
for pid in $pids; do
	wait "$pid"
done
check "the parent stays" kill -0 "$REGISTRYD_PID"
check "five children are there" wait_until 2 five_children
