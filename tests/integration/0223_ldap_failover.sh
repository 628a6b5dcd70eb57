#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP servers that fail in every way, before one that works and alone.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd slapd
PLAIN='tls: none
  allow_plaintext: true'

# How long alice has to wait, in ms, for the status in $status.
timed() {
	begin=$(date +%s%3N)
	ask "${1:-alice:alice-pw}" ''
	took=$(($(date +%s%3N) - begin))
}

# WHAT URI LINE...: this server first, then one that works.
before() {
	what=$1 first=$2
	shift 2
	stop_authd
	case $first in
	ldaps:*) second=ldaps://$LDAPS ;;
	*) second=ldap://$LDAP ;;
	esac
	LDAP_URIS="$first, $second"
	ldap_usual "$@"
	start_ldap_authd
	timed
	expect_status 200 "$what"
	check "$what: in $took ms" test "$took" -lt 3000
	check "$what: it is told once" wait_log "$AUTHD_LOG" \
	    "$first does not serve"
	# The same verifier again, and the other one: at most once more.
	timed Bob:Bob-pw
	expect_status 200 "$what, the next"
	check "$what, the next in $took ms" test "$took" -lt 3000
	timed carol:carol-pw
	check "$what, the third in $took ms: it is left alone" \
	    test "$took" -lt 1000
}

for mode in blackhole silent mute reset slow; do
	hang $mode
	before "$mode, StartTLS" "ldap://$HANG"
	[ $mode = blackhole ] || before "$mode, ldaps" "ldaps://$HANG"
	before "$mode, plain" "ldap://$HANG" "$PLAIN"
done
before "nothing there" "ldap://127.0.0.1:1"
before "a name that is none" "ldap://nowhere.invalid"

# The first server falls silent while it is in use.
start_slapd other
kept=$SLAPD_PID first=$LDAP
start_slapd spare
stop_authd
LDAP_URIS="ldap://$first, ldap://$LDAP"
ldap_usual 'verifiers: 1'
start_ldap_authd
timed
expect_status 200 "both serve"
kill -STOP "$kept"
timed Bob:Bob-pw
expect_status 200 "the first is stopped"
check "the first is stopped: in $took ms" test "$took" -lt 5000
timed carol:carol-pw
expect_status 200 "and is left alone"
check "and is left alone: in $took ms" test "$took" -lt 1000
kill -CONT "$kept"

# None is left.
stop_authd
hang silent
LDAP_URIS="ldap://$HANG"
for mode in mute blackhole slow; do
	hang $mode
	LDAP_URIS="$LDAP_URIS, ldap://$HANG"
done
ldap_usual
start_ldap_authd
timed
expect_status 503 "all dead"
check "all dead: in $took ms" test "$took" -lt 9000
check "Retry-After" test -n "$(header Retry-After)"
timed
expect_status 503 "all dead, again"
spent=$(for pid in $(pids verifier-ldap); do
	ps -o cputimes= -p "$pid"
done | awk '{ n += $1 } END { print NR == 2 ? n : 1000 }')
check "waiting costs nothing ($spent s of processor)" test "$spent" -lt 2
check "no verifier had to be killed" test -z \
    "$(grep -E 'verifier-ldap.*(signal|restart)' "$AUTHD_LOG")"
