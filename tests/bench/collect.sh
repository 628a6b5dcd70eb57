#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What clients feel of a collection: a store of BENCH_REPOSITORIES * 1,000
# blobs and * 100 manifests (100 of them by default), half of it garbage, is
# collected while one client pushes and pulls; every BENCH_SECONDS the
# collector is stopped or goes on, so that idle and busy are measured beside
# each other.  Fails above twice the idle p99, above 64 MiB, or when a pull
# goes wrong.
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./collect.sh

BENCH_REPOSITORIES=${BENCH_REPOSITORIES:-100}
BENCH_SECONDS=${BENCH_SECONDS:-10}
LOG_LINES=${LOG_LINES:-5}

make_store
"$BUILD/tests/bench/make_store" "$STORE" "$BENCH_REPOSITORIES" 88 9 ||
    die "make_store"
find "$STORE/docker/registry/v2/repositories" -name _manifests |
    awk 'NR % 2 == 0' | xargs rm -rf
! is_root || chown -R 62001:62001 "$STORE"
CONF_REGISTRYD='  collect: {enabled: false, grace: 5m, delay: 0s}'
make_old
start_registryd
collector=$(children "$REGISTRYD_PID" collector)

# Milliseconds of each push and pull to $T/push.WHAT and $T/pull.WHAT.
timed() {
	curl -sS -m 60 -o "$T/body" -w '%{time_total} %{http_code}\n' "$@" \
	    >>"$T/times"
}
one_round() {
	: >"$T/times"
	blob=$(make_blob 4096)
	url=http://$REGISTRY/v2/bench/app
	timed --data-binary "@$blob" \
	    -H 'Content-Type: application/octet-stream' \
	    "$url/blobs/uploads/?digest=$(digest "$blob")"
	type=application/vnd.oci.image
	printf '{"schemaVersion":2,%s,"config":%s,"layers":[%s]}' \
	    '"mediaType":"application/vnd.oci.image.manifest.v1+json"' \
	    "$(descriptor $type.config.v1+json "$blob")" \
	    "$(descriptor $type.layer.v1.tar "$blob")" >"$T/manifest"
	timed -X PUT -T "$T/manifest" \
	    -H "Content-Type: $type.manifest.v1+json" \
	    "$url/manifests/t$((rounds % 50))"
	awk '{ n += $1; if ($2 != 201) print "push: " $2 >"/dev/stderr" }
	    END { print n * 1000 }' "$T/times" >>"$T/push.$1" 2>>"$T/wrong"
	: >"$T/times"
	timed "$url/manifests/t$((rounds % 50))"
	timed "$url/blobs/$(digest "$blob")"
	cmp -s "$T/body" "$blob" || echo "pull: wrong bytes" >>"$T/wrong"
	awk '{ n += $1 } END { print n * 1000 }' "$T/times" >>"$T/pull.$1"
	rm -f "$blob"
	rounds=$((rounds + 1))
}
measure() {
	until=$(($(date +%s) + BENCH_SECONDS))
	while [ "$(date +%s)" -lt "$until" ]; do
		one_round "$1"
	done
}
# FILE FRACTION
quantile() {
	sort -n "$1" | awk -v q="$2" '{ v[NR] = $1 }
	    END {
		i = int(NR * q) + 1
		if (i > NR)
			i = NR
		printf "%.1f", v[i]
	    }'
}

rounds=0
: >"$T/wrong"
for run in condemn remove; do
	rm -f "$T"/push.* "$T"/pull.*
	collect &
	running=$!
	while kill -0 "$running" 2>/dev/null; do
		kill -STOP "$collector"
		measure idle
		kill -CONT "$collector"
		measure busy
	done
	wait "$running"
	expect "$run: ends well" ok "$(collected '.outcome')"
	collected '"\(.blobs.live) blobs in use, \(.blobs.condemned)" +
	    " condemned, \(.blobs.deleted) removed, \(.manifests_read)" +
	    " manifests read, \(.milliseconds / 1000) s"'
	for what in push pull; do
		idle=$(quantile "$T/$what.idle" 0.99)
		busy=$(quantile "$T/$what.busy" 0.99)
		echo "$run: $what p50 $(quantile "$T/$what.idle" 0.5) ms" \
		    "idle, $(quantile "$T/$what.busy" 0.5) ms busy; p99" \
		    "$idle ms idle, $busy ms busy"
		check "$run: p99 of $what at most twice the idle one" \
		    awk "BEGIN { exit !($busy <= 2 * $idle) }"
	done
done
echo "collector: $(peak "$collector") KiB at most"
check 'below 64 MiB' [ "$(peak "$collector")" -lt 65536 ]
check 'every push and pull went well' [ ! -s "$T/wrong" ]
