#!/bin/sh
# SPDX-License-Identifier: ISC
# Unknown, locked and wrong-password users get the same answer, and nobody
# can tell them apart by its time.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh

command -v htpasswd >/dev/null || die "there is no htpasswd(1)"
SAMPLES=200
{
	htpasswd -B -C 5 -bn known known-pw
	htpasswd -B -C 6 -bn slower slower-pw
	echo "locked:!$(htpasswd -B -C 5 -bn x locked-pw | cut -d : -f 2)"
	echo "other:$(openssl passwd -6 other-pw)"
} >"$T/htpasswd"
chmod 600 "$T/htpasswd"
start_authd

for who in known:x nobody:x locked:x locked:locked-pw other:x; do
	ask "$who" ''
	expect_refused
	tr -d '\r' <"$T/head" | grep -v '^Date:' | cat - "$T/body" \
	    >"$T/answer.$who"
	check "$who gets the answer of all" \
	    cmp "$T/answer.known:x" "$T/answer.$who"
done

# 401s of all kinds, one after the other, so that load is the same for all.
for n in $(seq "$SAMPLES"); do
	requests 1 unknown "nobody$n:x"
done >"$T/unknown"
requests "$SAMPLES" known known:x >"$T/known"
requests "$SAMPLES" slower slower:x >"$T/slower"
requests "$SAMPLES" locked locked:locked-pw >"$T/locked"
requests "$SAMPLES" other other:x >"$T/other"
paste -d '\n' "$T/known" "$T/slower" "$T/unknown" "$T/locked" "$T/other" \
    >"$T/requests"
sample() {
	ask_many 40 <"$T/requests" >"$T/times"
}

all_alike() {
	for tag in slower unknown locked other; do
		alike known "$tag" || {
			echo "known and $tag"
			return 1
		}
	done
}
# With five kinds, chance alone makes one of 25 samples fail.
check "times of $SAMPLES refusals of each kind tell nothing" \
    eval 'sample && all_alike || { sample && all_alike; } ||
	{ sample && all_alike; }'
expect "all of them are refusals" $((SAMPLES * 5)) \
    "$(grep -c ' 401 ' "$T/times")"
# Timers may be early by what the turn of their loop has taken.
check "none comes before the floor" awk '$3 < 0.28 { exit 1 }' "$T/times"

# The measure can tell, and those who are right do not wait.
requests 50 good known:known-pw | ask_many 1 >"$T/good"
expect "right passwords are right" 50 "$(grep -c ' 200 ' "$T/good")"
check "and not delayed" awk '$3 > 0.25 { n++ } END { exit n > 2 }' "$T/good"
cat "$T/good" >>"$T/times"
refuse "which is to be seen" alike known good
stop_authd

CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
start_authd
requests 20 known known:x | ask_many 1 >"$T/times"
check "without a floor answers come at once" \
    awk '$3 > 0.25 { n++ } END { exit n > 2 }' "$T/times"
