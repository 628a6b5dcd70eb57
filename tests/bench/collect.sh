#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What clients feel of a collection: a store of BENCH_REPOSITORIES * 1,000
# blobs and * 100 manifests (100 of them by default), half of it garbage, is
# collected while one client pushes and pulls; every BENCH_SECONDS the
# collector is stopped or goes on, so that idle and busy are measured beside
# each other.  What it reads is seen by the times of access.  Fails above
# twice the idle p99, above 64 MiB, when a layer is read or a manifest twice,
# or when a push or pull goes wrong.
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./collect.sh

BENCH_REPOSITORIES=${BENCH_REPOSITORIES:-100}
BENCH_SECONDS=${BENCH_SECONDS:-10}
LOG_LINES=${LOG_LINES:-5}
ENOUGH=100		# rounds, for a p99 that is not just the worst one

make_store
"$BUILD/tests/bench/make_store" "$STORE" "$BENCH_REPOSITORIES" 88 9 4096 ||
    die "make_store"
find "$STORE/docker/registry/v2/repositories" -name _manifests |
    awk 'NR % 2 == 0' | xargs rm -rf
! is_root || chown -R 62001:62001 "$STORE"
CONF_REGISTRYD='  collect: {enabled: false, grace: 5m, delay: 0s}'
start_registryd
collector=$(children "$REGISTRYD_PID" collector)

# One push and one pull; their milliseconds go to $T/push.WHAT, $T/pull.WHAT.
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
# What the collector does: "mark", what this run does to names, or nothing.
phase_now() {
	nice -n 19 "$BUILD/registryctl" -f "$T/registryd.yml" --json status |
	    nice -n 19 jq -r --arg run "$run" '
	    if .job.job != "collect" then "none"
	    elif .job.phase | startswith("sweeping") then $run
	    else "mark" end'
}
# Beside the clients, who would have to wait for its answers, and seldom: what
# it costs is not the collection's.
watch_phase() {
	while kill -0 "$1" 2>/dev/null; do
		phase_now >"$T/phase.new" && mv "$T/phase.new" "$T/phase"
		sleep 1
	done
}
measure() {
	until=$(($(date +%s) + BENCH_SECONDS)) phase=idle
	while [ "$(date +%s)" -lt "$until" ]; do
		[ "$1" = idle ] || {
			kill -0 "$running" 2>/dev/null || break
			phase=$(cat "$T/phase")
		}
		# Just begun, or just ended.
		[ "$phase" != none ] || {
			sleep 0.1
			continue
		}
		one_round "$phase"
		[ "$1" = idle ] || {
			tail -n 1 "$T/push.$phase" >>"$T/push.busy"
			tail -n 1 "$T/pull.$phase" >>"$T/pull.busy"
		}
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
# RUN PHASE: the phase beside what was idle in that run.  All of a run that is
# busy is judged always, a part of it only if it was long.
judge() {
	[ "$2" != busy ] ||
	    check "$1 run: clients were there meanwhile" [ -s "$T/push.busy" ]
	for what in push pull; do
		[ -s "$T/$what.$2" ] || continue
		n=$(wc -l <"$T/$what.$2")
		idle=$(quantile "$T/$what.idle" 0.99)
		busy=$(quantile "$T/$what.$2" 0.99)
		echo "$1 run, $2: $what p50 $(quantile "$T/$what.idle" 0.5)" \
		    "ms idle, $(quantile "$T/$what.$2" 0.5) ms; p99 $idle ms" \
		    "idle, $busy ms: $(awk -v b="$busy" -v i="$idle" \
		    'BEGIN { printf "%.2f", b / i }') times, $n rounds"
		if [ "$2" != busy ] && [ "$n" -lt "$ENOUGH" ]; then
			echo "$1 run, $2: too few rounds for a p99"
			continue
		fi
		check "$1 run, $2: p99 of $what at most twice the idle one" \
		    awk "BEGIN { exit !($busy <= 2 * $idle) }"
	done
}

# Manifests, and other blobs, among the old files that were read since
# $T/began: old ones had the same time of access and of change.
revisions() {
	find "$STORE/docker/registry/v2/repositories" \
	    -path '*/_manifests/revisions/sha256/*' -type d 2>/dev/null |
	    sed 's,.*/,,'
}
files_read() {
	find "$STORE/docker/registry/v2/blobs" -name 'data*' \
	    ! -newer "$T/began" -anewer "$T/began" -printf '%h %s\n' \
	    2>/dev/null | sed 's,.*/,,' |
	    awk 'NR == FNR { revision[$1] = 1; next }
		$1 in revision { n++; next }
		{ layers++; bytes += $2 }
		END { print n + 0, layers + 0, bytes + 0 }' "$T/revisions" -
}

rounds=0
: >"$T/wrong"
for run in condemn remove; do
	rm -f "$T"/push.* "$T"/pull.*
	make_old
	revisions | sort -u >"$T/revisions"
	sync -f "$STORE"
	sleep 1
	touch "$T/began"
	sleep 1
	echo mark >"$T/phase"
	collect &
	running=$!
	watch_phase "$running" &
	while kill -0 "$running" 2>/dev/null; do
		kill -STOP "$collector"
		measure idle
		kill -CONT "$collector"
		measure busy
	done
	wait "$running"
	files=$(files_read)
	expect "$run: ends well" ok "$(collected '.outcome')"
	collected '"\(.blobs.live) blobs in use, \(.blobs.condemned)" +
	    " condemned, \(.blobs.deleted) removed, \(.manifests_read)" +
	    " manifests read, \(.milliseconds / 1000) s, of which the" +
	    " collector was stopped for half"'
	for phase in busy mark "$run"; do
		judge "$run" "$phase"
	done
	# shellcheck disable=SC2086
	set -- $files
	echo "$run: read $1 old manifests, and $3 bytes of $2 old layers"
	check "$run: manifests are seen to be read" [ "$1" -gt 0 ]
	check "$run: no layer is read" [ "$2" -eq 0 ]
	check "$run: each manifest is read once at most" \
	    [ "$(collected .manifests_read)" -le \
	    $(($(wc -l <"$T/revisions") + rounds)) ]
done
expect 'the collector is still the same' "$collector" \
    "$(children "$REGISTRYD_PID" collector)"
echo "collector: $(peak "$collector") KiB at most"
check 'below 64 MiB' [ "$(peak "$collector")" -lt 65536 ]
check 'every push and pull went well' [ ! -s "$T/wrong" ]
