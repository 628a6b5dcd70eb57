#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryd beside Debian's docker-registry in one run, on one disk: blobs of
# several sizes in and out, many small manifests, and memory.  registryd
# runs twice, with durability full (its default: everything is flushed
# before the answer, which the other never does) and none.
#
# BENCH_SECONDS=5 is the time of each request storm.
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./clients.sh

BENCH_SECONDS=${BENCH_SECONDS:-5}
LOG_LINES=${LOG_LINES:-5}
results=$T/results
: >"$results"

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# KEY VALUE: one figure of the server that runs now.
note() {
	echo "$1 $server $2" >>"$results"
}

# The curl config that opens an upload for each of N files.
opens() {
	i=0
	while [ $i -lt "$1" ]; do
		echo "url = \"http://$REGISTRY/v2/bench/blobs/uploads/\""
		echo 'request = "POST"'
		echo "dump-header = \"$T/open.$i\""
		echo 'output = "/dev/null"'
		echo "write-out = \"%{http_code}\\n\""
		echo "next"
		i=$((i + 1))
	done
}

puts() {
	i=0
	while [ $i -lt "$1" ]; do
		url=$(tr -d '\r' <"$T/open.$i" |
		    sed -n 's/^[Ll]ocation: *//p')
		case $url in
		/*) url=http://$REGISTRY$url ;;
		esac
		case $url in
		*\?*) url="$url&" ;;
		*) url="$url?" ;;
		esac
		echo "url = \"${url}digest=$(cat "$T/digest.$i")\""
		echo "upload-file = \"$T/file.$i\""
		echo 'output = "/dev/null"'
		echo "write-out = \"%{http_code}\\n\""
		echo "next"
		i=$((i + 1))
	done
}

gets() {
	i=0
	while [ $i -lt "$1" ]; do
		digest=$(cat "$T/digest.$i")
		echo "url = \"http://$REGISTRY/v2/bench/blobs/$digest\""
		echo 'output = "/dev/null"'
		echo "write-out = \"%{http_code}\\n\""
		echo "next"
		i=$((i + 1))
	done
}

# CONFIG STATUS N: all N transfers end with that status.
transfer() {
	curl -sS -m 300 -K "$1" >"$T/codes" 2>>"$T/curl.log"
	[ "$(grep -c "^$2\$" "$T/codes")" -eq "$3" ] ||
	    die "$server: $(sort "$T/codes" | uniq -c | tr '\n' ' ')"
}

# BYTES N: each server gets the same files.
blobs() {
	i=0
	while [ $i -lt "$2" ]; do
		if ! [ -f "$T/size-$1.$i" ]; then
			head -c "$1" /dev/urandom >"$T/size-$1.$i"
		fi
		ln -sf "$T/size-$1.$i" "$T/file.$i"
		digest "$T/file.$i" >"$T/digest.$i"
		i=$((i + 1))
	done
	opens "$2" >"$T/k"
	begin=$(now_ms)
	transfer "$T/k" 202 "$2"
	puts "$2" >"$T/k2"
	transfer "$T/k2" 201 "$2"
	note "push-$1x$2-ms" $(($(now_ms) - begin))
	gets "$2" >"$T/k"
	begin=$(now_ms)
	transfer "$T/k" 200 "$2"
	note "pull-$1x$2-ms" $(($(now_ms) - begin))
}

storm() {
	wrk -t 1 -c 32 -d "${BENCH_SECONDS}s" \
	    -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
	    "http://$REGISTRY$2" >"$T/wrk"
	! grep -q 'Non-2xx' "$T/wrk" || die "$server: $(cat "$T/wrk")"
	note "$1-per-s" "$(awk '/^Requests\/sec/ { print int($2) }' "$T/wrk")"
}

measure() {
	server=$1
	shift
	# shellcheck disable=SC2046
	note idle-pss-KiB "$(pss $1 $(children "$1"))"
	blobs 4096 200
	blobs 1048576 50
	blobs 67108864 4
	digest=$(make_image bench latest) || die "$server: push an image"
	storm manifest-by-tag /v2/bench/manifests/latest
	storm manifest-by-digest "/v2/bench/manifests/$digest"
	# shellcheck disable=SC2046
	note pss-KiB "$(pss $1 $(children "$1"))"
}

mkdir -p "$T/other"
cat >"$T/config.yml" <<CONF
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: $T/other}
http: {addr: "127.0.0.1:0"}
CONF
start_distribution "$T/config.yml"
REGISTRY=$DISTRIBUTION
measure docker-registry "$DISTRIBUTION_PID"
stop_pid "$DISTRIBUTION_PID"

for durability in full none; do
	STORE=$T/store-$durability
	CONF_REGISTRYD="  durability: $durability"
	start_registryd
	measure $durability "$REGISTRYD_PID"
	stop_registryd
done

# A time is better when small, a rate when large: the ratio is always how
# many times better registryd is.
awk '
	{ v[$1, $2] = $3; if (!seen[$1]++) keys[++n] = $1 }
	function ratio(k, s,	a, b) {
		a = v[k, "docker-registry"]; b = v[k, s]
		if (a == 0 || b == 0)
			return "-"
		return sprintf("%.2f", k ~ /per-s$/ ? b / a : a / b)
	}
	END {
		printf "%-24s %15s %10s %7s %10s %7s\n", "", \
		    "docker-registry", "full", "times", "none", "times"
		for (i = 1; i <= n; i++) {
			k = keys[i]
			printf "%-24s %15d %10d %7s %10d %7s\n", k, \
			    v[k, "docker-registry"], v[k, "full"], \
			    ratio(k, "full"), v[k, "none"], ratio(k, "none")
		}
	}' "$results"
