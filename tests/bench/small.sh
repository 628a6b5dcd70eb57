#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the modes of durability cost: pushes of 4 KiB, each a POST with its
# body, by many clients at once and by one alone.  As root, the store has an
# ext4 of its own on a loop device, because mode batch pays for what other
# programs write to its file system; else it is in $TMPDIR.
#
# BENCH_PUSHES=800  BENCH_CLIENTS=32  BENCH_ALONE=80  BENCH_TURNS=3
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./clients.sh

BENCH_PUSHES=${BENCH_PUSHES:-800}
BENCH_CLIENTS=${BENCH_CLIENTS:-32}
BENCH_ALONE=${BENCH_ALONE:-80}
BENCH_TURNS=${BENCH_TURNS:-3}
LOG_LINES=${LOG_LINES:-5}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# FROM TO: curl's lines for the files of these numbers.
pushes() {
	i=$1 next=
	while [ "$i" -lt "$2" ]; do
		[ -z "$next" ] || echo next
		next=yes
		url="http://$REGISTRY/v2/bench/r$((i % 8))/blobs/uploads/"
		echo "url = \"$url?digest=$(cat "$T/digest.$i")\""
		echo 'request = "POST"'
		echo "data-binary = \"@$T/file.$i\""
		echo 'header = "Content-Type: application/octet-stream"'
		echo 'output = "/dev/null"'
		printf '%s\n' 'write-out = "%{http_code}\n"'
		i=$((i + 1))
	done
}

# NAME FROM TO CURL-OPTION...: pushes per second.
measure() {
	what=$1 n=$(($3 - $2))
	pushes "$2" "$3" >"$T/k"
	shift 3
	begin=$(now_ms)
	curl -sS -m 300 -K "$T/k" "$@" >"$T/codes" 2>>"$T/curl.log"
	ms=$(($(now_ms) - begin))
	[ "$(grep -c '^201$' "$T/codes")" -eq "$n" ] ||
	    die "$durability: $(sort "$T/codes" | uniq -c | tr '\n' ' ')"
	echo "$what $durability $((n * 1000 / ms))" | tee -a "$T/results"
}

mkdir "$T/fs"
if is_root; then
	truncate -s 2G "$T/disk"
	mkfs.ext4 -q -F "$T/disk" &&
	    loop=$(losetup -f --show --direct-io=on "$T/disk") &&
	    mount "$loop" "$T/fs" || die "cannot mount a file system"
	losetup -d "$loop"		# as soon as it is unmounted
fi
total=$((BENCH_PUSHES + BENCH_ALONE))
i=0
while [ $i -lt $total ]; do
	head -c 4096 /dev/urandom >"$T/file.$i"
	digest "$T/file.$i" >"$T/digest.$i"
	i=$((i + 1))
done
turn=0
while [ $turn -lt "$BENCH_TURNS" ]; do
	turn=$((turn + 1))
	for durability in full batch none; do
		STORE=$T/fs/$durability-$turn
		CONF_REGISTRYD="  durability: $durability"
		start_registryd
		measure many 0 "$BENCH_PUSHES" -Z --parallel-immediate \
		    --parallel-max "$BENCH_CLIENTS"
		measure alone "$BENCH_PUSHES" $total
		stop_registryd
	done
done

# The median of the turns, and how many times better than full.
sort -k1,2 -k3n "$T/results" | awk '
	{ k = $1 " " $2; v[k, ++n[k]] = $3 }
	END {
		for (i = 1; i <= 2; i++) {
			what = i == 1 ? "many" : "alone"
			full = v[what " full", int((n[what " full"] + 1) / 2)]
			for (j = 1; j <= 3; j++) {
				mode = j == 1 ? "full" : j == 2 ? "batch" : \
				    "none"
				k = what " " mode
				m = v[k, int((n[k] + 1) / 2)]
				printf "%-6s %-6s %8d/s %7.2f\n", what, mode, \
				    m, m / full
			}
		}
	}'
