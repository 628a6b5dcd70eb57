#!/bin/sh
# SPDX-License-Identifier: ISC
#
# No process of authd grows with the number of requests, be they granted,
# anonymous, or refused; nor does the number of its descriptors.
# SOAK_REQUESTS=20000; "make soak" sends a million.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh

if grep -q __asan_init "$BUILD/authd"; then
	skip "sanitizers keep what is freed"
fi
N=${SOAK_REQUESTS:-20000}
GROWTH=1024		# KiB, of any process after the first part

mkdir "$T/keys"
"$BUILD/authctl" key new -a es256 -o "$T/keys" >"$T/authctl.log" 2>&1 ||
    die "authctl key new"
# Cheap hashes, so that also checks are many.
for user in alice bob; do
	htpasswd -B -C 5 -bn $user $user-pw
done | grep . >"$T/htpasswd"
chmod 600 "$T/htpasswd"
CONF_AUTHD="log: {audit: $T/audit.log}
proxies: [127.0.0.1]"
CONF_THROTTLE='{failures_per_source: 3, failures_per_user: 0, floor: 0s,
  checks_per_source: 0}'
start_authd

# For each process its name, its PSS, its RSS and its descriptors.
sizes() {
	for pid in $AUTHD_PID $(children "$AUTHD_PID" | sort -n); do
		echo "$(tr '\0' ' ' <"/proc/$pid/cmdline" | sed \
		    's/.*-P \([a-z-]*\) -I \([0-9]*\).*/\1-\2/; t
		    s/.*/parent/') $(pss "$pid") $(rss "$pid")" \
		    "$(find "/proc/$pid/fd" -type l | wc -l)"
	done
}
# Descriptors of each process, once connections have ended.
has_as_before() {
	[ "$(sizes | cut -d ' ' -f 1,4)" = "$(cut -d ' ' -f 1,4 "$T/before")" ]
}

# NAME COUNT STATUS [PERCENT]: the request on standard input, so often; what
# is compared are the sizes after so many of them and after all.
soak() {
	what=$1 n=$2 want=$3 first=${4:-10}
	cat >"$T/request"
	for part in $first $((100 - first)); do
		"$BUILD/tests/integration/soak_client" "${AUTHD##*:}" 16 \
		    $((n * part / 100)) <"$T/request" >"$T/statuses" ||
		    die "$what: the client failed"
		expect "$what, $part of 100: $(tr '\n' ' ' <"$T/statuses")" \
		    '' "$(grep -Evx "($want) [0-9]+" "$T/statuses")"
		check "$what: descriptors as at first" \
		    wait_until 5 has_as_before
		[ ! -f "$T/sizes.1" ] || mv "$T/sizes.1" "$T/sizes.0"
		sizes >"$T/sizes.1"
		: >"$AUTHD_LOG"
		: >"$T/audit.log"
	done
	paste -d ' ' "$T/sizes.0" "$T/sizes.1" >"$T/sizes"
	while read -r process pss rss _ _ pss2 rss2 _; do
		said="PSS $pss, then $pss2 KiB; RSS $rss, then $rss2 KiB"
		check "$what: $process: $said" \
		    [ $((pss2 - pss)) -le $GROWTH ] &&
		    check "$what: $process does not grow" \
		    [ $((rss2 - rss)) -le $GROWTH ]
	done <"$T/sizes"
}

sizes >"$T/before"
basic() {
	printf %s "$1" | base64
}
query='service=registry.test&scope=repository'
soak "tokens" "$N" 200 <<-REQUEST
	GET /token?$query:alice/app:pull,push HTTP/1.1
	Host: localhost
	Authorization: Basic $(basic alice:alice-pw)
REQUEST
soak "anonymous tokens" $((N / 2)) 200 <<-REQUEST
	GET /token?$query:public/app@N:pull HTTP/1.1
	Host: localhost
REQUEST
soak "nobody" $((N / 4)) 401 <<-REQUEST
	GET /token?service=registry.test HTTP/1.1
	Host: localhost
REQUEST
# Of a million, as many come first as the broker keeps in mind: 65,536.
soak "wrong passwords from everywhere" $((N / 5)) 401 35 <<-REQUEST
	GET /token?$query:alice/app:pull HTTP/1.1
	Host: localhost
	X-Forwarded-For: @A
	Authorization: Basic $(basic alice:wrong)
REQUEST
soak "wrong forms" $((N / 4)) 400 <<-REQUEST
	GET /token?service=other@N HTTP/1.1
	Host: localhost
	Authorization: Basic $(basic alice:alice-pw)
REQUEST
for user in a b c d; do
	ask "alice:$user" '' -H 'X-Forwarded-For: 192.0.2.1'
done
soak "who has to wait" $((N / 4)) 429 <<-REQUEST
	GET /token?$query:alice/app:pull HTTP/1.1
	Host: localhost
	X-Forwarded-For: 192.0.2.1
	Authorization: Basic $(basic bob:bob-pw)
REQUEST
