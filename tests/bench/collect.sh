#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What clients feel of a collection: a store of BENCH_REPOSITORIES * 1,000
# blobs and * 100 manifests (100 of them by default), half of it garbage, is
# collected while one client pushes and pulls, BENCH_PASSES times; every
# BENCH_SECONDS the collector is stopped or goes on, so that idle and busy are
# measured beside each other, and what else the machine does is in both.  What
# a collection opens is watched before, by registryctl and without a client.
# Fails above twice the idle p99, above 64 MiB, when a layer is opened or a
# manifest twice, when more manifests are read than there are, or when a push
# or pull goes wrong.
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./collect.sh

BENCH_REPOSITORIES=${BENCH_REPOSITORIES:-100}
BENCH_PASSES=${BENCH_PASSES:-2}
BENCH_SECONDS=${BENCH_SECONDS:-1}
LOG_LINES=${LOG_LINES:-5}
ENOUGH=100		# rounds, for a p99 that is not just the worst one

# Puts back what an earlier pass has removed.
fill_store() {
	"$BUILD/tests/bench/make_store" "$STORE" "$BENCH_REPOSITORIES" \
	    88 9 4096 || die "make_store"
	find "$STORE/docker/registry/v2/repositories/group"* \
	    -name _manifests | sort | awk 'NR % 2 == 0' | xargs rm -rf
	! is_root || chown -R 62001:62001 "$STORE/docker" \
	    "$STORE/.registryd/repositories"
}

make_store
fill_store
! is_root || chown -R 62001:62001 "$STORE"
CONF_REGISTRYD='  collect: {enabled: false, grace: 5m, delay: 0s}'
registryd_conf >"$T/registryd.yml"

# What the collector does: "mark", what this run does to names, or nothing.
phase_now() {
	ctl --json status | jq -r --arg run "$run" '
	    if .job.job != "collect" then "none"
	    elif .job.phase | startswith("sweeping") then $run
	    else "mark" end'
}
is_running() {
	kill -0 "$running" 2>/dev/null
}
# LABEL: the client goes on with what it prints below another name.
label() {
	echo "$1" >"$T/label.new" && mv "$T/label.new" "$T/label"
}
measure_idle() {
	kill -STOP "$collector"
	# What it had begun in the file system ends.
	sleep 0.2
	label "$run.idle$windows"
	sleep "$BENCH_SECONDS"
	label none
	kill -CONT "$collector"
}
# Who asks for the phase does so when nothing is measured; a time in which it
# has changed is of the whole run only.
measure_busy() {
	is_running || return
	phase=$(phase_now)
	windows=$((windows + 1)) left=$((BENCH_SECONDS * 10))
	label "$run.busy$windows"
	while [ "$left" -gt 0 ] && is_running; do
		sleep 0.1
		left=$((left - 1))
	done
	label none
	sleep 0.1
	[ "$phase" = "$(phase_now)" ] || phase=mixed
	echo "$run.busy$windows $run.$phase" >>"$T/windows"
}

# RUN PHASE: its rounds, in $T/push.RUN.PHASE, pull and again alike.  What has
# begun in a window that is busy belongs there, whenever it ended; idle is only
# what ended in the same.
rounds_of() {
	awk -v phase="$1.$2" -v all="$1.busy" -v idle="$1.idle" \
	    -v dir="$T" -v name="$1.$2" '
	    NR == FNR { of[$1] = $2; next }
	    phase == idle && index($1, idle) == 1 && $1 == $2 ||
	    phase == all && index($1, all) == 1 ||
	    $1 in of && of[$1] == phase {
		print $4 >(dir "/" $3 "." name)
	    }' "$T/windows" "$T/rounds"
}

# FILE FRACTION
quantile() {
	sort -n "$1" | awk -v q="$2" '{ v[NR] = $1 }
	    END {
		i = int(NR * q) + 1
		if (i > NR)
			i = NR
		printf "%.3f", v[i]
	    }'
}
enough() {
	for rounds in "$@"; do
		[ "$(wc -l <"$rounds")" -ge "$ENOUGH" ] || return
	done
}
# RUN PHASE: the phase beside what was idle in that run.  All of a run that is
# busy is judged always, a part of it only if it was long.
judge() {
	rounds_of "$1" "$2"
	for what in push pull again; do
		times=$T/$what.$1
		[ "$2" != busy ] || check "$1 run: enough of $what to judge" \
		    enough "$times.idle" "$times.busy"
		[ -s "$times.$2" ] || continue
		n=$(wc -l <"$times.$2")
		idle=$(quantile "$times.idle" 0.99)
		busy=$(quantile "$times.$2" 0.99)
		echo "$1 run, $2: $what p50 $(quantile "$times.idle" 0.5)" \
		    "ms idle, $(quantile "$times.$2" 0.5) ms; p99 $idle ms" \
		    "idle, $busy ms: $(awk -v b="$busy" -v i="$idle" \
		    'BEGIN { printf "%.2f", b / i }') times, $n rounds"
		if [ "$2" != busy ] && ! enough "$times.$2"; then
			echo "$1 run, $2: too few rounds for a p99"
			continue
		fi
		check "$1 run, $2: p99 of $what at most twice the idle one" \
		    awk "BEGIN { exit !($busy <= 2 * $idle) }"
	done
}

# Digests of all manifests there are.
revisions() {
	find "$STORE/docker/registry/v2/repositories" \
	    -path '*/_manifests/revisions/sha256/*' -type d | sed 's,.*/,,' |
	    sort -u
}
# Blobs that a run has opened: how many manifests, how many of them again, how
# many others.
blobs_opened() {
	sed -n -e 's,.*[/"]\([0-9a-f]\{64\}\)/data.*) = [0-9].*,\1,p' \
	    -e 's,.*"data.*) = [0-9].*,unknown,p' "$T/opened" \
	    >"$T/opened.names"
	awk 'NR == FNR { revision[$1] = 1; next }
	    !($1 in revision) { others++; next }
	    seen[$1]++ { again++; next }
	    { n++ }
	    END { print n + 0, again + 0, others + 0 }' "$T/revisions" \
	    "$T/opened.names"
}
# RUN FILTER: a run by registryctl, which does the same without pauses, and
# what it counts of its work.
watch_run() {
	run=$1
	make_old
	revisions >"$T/revisions"
	strace -f --seccomp-bpf -qq -e trace=?open,openat,openat2 \
	    -o "$T/opened" "$BUILD/registryctl" -f "$T/registryd.yml" --json \
	    collect >"$T/collected" || die "collect: $(cat "$T/collected")"
	[ -s "$T/revisions" ] || die "no manifests"
	check "$run, watched: there was something to $run" \
	    [ "$(collected "$2")" -gt 0 ]
	# shellcheck disable=SC2046
	set -- $(blobs_opened)
	echo "$run, watched: $1 manifests of $(wc -l <"$T/revisions")" \
	    "opened, $2 once more, and $3 other blobs"
	expect "$run, watched: each manifest is opened once" \
	    "$(wc -l <"$T/revisions") 0" "$1 $2"
	expect "$run, watched: no layer is" 0 "$3"
}
watch_run condemn .blobs.condemned
watch_run remove .blobs.deleted
fill_store
start_registryd
collector=$(children "$REGISTRYD_PID" collector)

label none
"$BUILD/tests/bench/rounds" "${REGISTRY##*:}" "$T/label" 5 \
    >"$T/rounds" 2>"$T/wrong" &
client=$!
on_exit() {
	kill -CONT "$collector" 2>/dev/null
	kill "$client" 2>/dev/null
}
windows=0
run_once() {
	make_old
	sync -f "$STORE"
	sleep 2
	collect &
	running=$!
	while is_running; do
		measure_idle
		measure_busy
	done
	wait "$running"
	expect "$run: ends well" ok "$(collected '.outcome')"
	check "$run: no more manifests are read than there are" \
	    [ "$(collected .manifests_read)" -le "$(revisions | wc -l)" ]
	collected '"\(.blobs.live) blobs in use, \(.blobs.condemned)" +
	    " condemned, \(.blobs.deleted) removed, \(.manifests_read)" +
	    " manifests read, \(.milliseconds / 1000) s, of which the" +
	    " collector was stopped for half"'
}
pass=1
while :; do
	for run in condemn remove; do
		run_once
	done
	[ "$pass" -lt "$BENCH_PASSES" ] || break
	pass=$((pass + 1))
	fill_store
done
for run in condemn remove; do
	rounds_of "$run" idle
	for phase in busy mark "$run"; do
		judge "$run" "$phase"
	done
done
expect 'the collector is still the same' "$collector" \
    "$(children "$REGISTRYD_PID" collector)"
echo "collector: $(peak "$collector") KiB at most"
check 'below 64 MiB' [ "$(peak "$collector")" -lt 65536 ]
check 'every push and pull went well' [ ! -s "$T/wrong" ] ||
    head -n 5 "$T/wrong"
