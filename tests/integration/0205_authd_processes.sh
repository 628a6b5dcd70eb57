#!/bin/sh
# SPDX-License-Identifier: ISC
# The process tree of authd: who runs as whom and holds what, and what
# happens when any of them dies.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

uid_of() {
	awk '$1 == "Uid:" { print $2 "," $3 "," $4 }' "/proc/$1/status"
}

# What a process has open beyond standard descriptors and its event loop:
# the number of unix sockets, then everything else.
holdings() {
	unix=0 rest=
	for fd in "/proc/$1/fd"/*; do
		what=$(readlink "$fd") || continue
		case ${fd##*/}:$what in
		[01]:/dev/null|2:*|*:anon_inode:*|*:pipe:*) ;;
		*:socket:*)
			if awk -v s="$what" '"socket:[" $7 "]" == s { f = 1 }
			    END { exit !f }' /proc/net/unix; then
				unix=$((unix + 1))
			else
				rest="$rest listener"
			fi ;;
		*) rest="$rest $what" ;;
		esac
	done
	echo "$unix$rest"
}

: >"$T/body"
for role in worker:62011:'2 listener' broker:62012:6 verifier:62013:2 \
    signer:62014:2; do
	want=${role##*:} uid=${role#*:} role=${role%%:*}
	uid=${uid%%:*}
	is_root || uid=$(id -u)
	for pid in $(pids "$role"); do
		expect "$role has its user" "$uid,$uid,$uid" "$(uid_of "$pid")"
		# Nobody but root may look into these processes.
		is_root || continue
		expect "$role holds nothing else" "$want" "$(holdings "$pid")"
		check "$role has an empty root directory" \
		    [ -z "$(ls -A "/proc/$pid/root/")" ]
	done
done
expect "two workers, a broker, two verifiers, a signer" "2 1 2 1" \
    "$(pids worker | wc -l) $(pids broker | wc -l) $(pids verifier |
    wc -l) $(pids signer | wc -l)"
if is_root; then
	expect "users differ" 4 "$(for pid in $(children "$AUTHD_PID"); do
	    uid_of "$pid"; done | sort -u | wc -l)"
fi

replaced() {
	now=$(pids "$1" | head -n 1)
	[ -n "$now" ] && ! kill -0 "$2" 2>/dev/null &&
	    [ "$(pids "$1" | wc -l)" -eq "$3" ] &&
	    answers 200 alice:alice-pw && answers 200 bob:bob-pw
}

# Requests all the time, while each child is killed in its turn.
ask_again_and_again() {
	while :; do
		curl -s -m 10 -w '\n%{http_code}\n' -u "$1:$1-pw" \
		    "http://$AUTHD/token" >"$T/answer.$1"
		tail -n 1 "$T/answer.$1" >>"$T/codes"
		jq -r '.token // empty' "$T/answer.$1" 2>/dev/null |
		    cut -d . -f 2 | tr '_-' '/+' | base64 -d 2>/dev/null |
		    sed "s/.*\"sub\":\"\([^\"]*\)\".*/$1 \1\n/" \
		    >>"$T/subjects"
	done
}
loads=
for user in alice bob admin; do
	ask_again_and_again $user &
	loads="$loads $!"
done
PIDS="$PIDS $loads"
for role in worker broker verifier signer; do
	n=$(pids "$role" | wc -l)
	victim=$(pids "$role" | head -n 1)
	kill -9 "$victim"
	check "$role is back within 1 s" wait_until 1 replaced "$role" \
	    "$victim" "$n"
done
# shellcheck disable=SC2086
kill $loads 2>/dev/null
check "the parent is the same" kill -0 "$AUTHD_PID"
expect "requests that fail, fail with 503 or no answer" "" \
    "$(grep -vx '200\|503\|000' "$T/codes")"
bad=$(grep -cvx 200 "$T/codes")
check "and are few ($bad)" [ "$bad" -le 8 ]
check "there were others" [ "$(grep -c . "$T/subjects")" -ge 6 ]
expect "each got his own token" '' "$(awk '$1 != $2' "$T/subjects")"

# One after the other stops at SIGTERM, and nothing is left.
all=$(children "$AUTHD_PID")
stop_authd
for pid in $all; do
	check "child $pid is gone" is_gone "$pid"
done
