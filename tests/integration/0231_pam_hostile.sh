#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Modules that hang, crash, exit, fork or ask twice: each costs its own
# request a 503 or a 401, and leaves nothing behind.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh
[ -f "$HOSTILE" ] || die "no $HOSTILE; make servers"

make_account alice
make_account bob
bad_for_bob() {
	pam_service "auth required $HOSTILE user=$bob $*" \
	    'auth required pam_unix.so nodelay' \
	    'account required pam_unix.so'
}
bad_for_bob 0
start_pam 'timeout: 2s' 'verifiers: 2'
check "alice is let in" answers 200 "$alice:alice-pw"
check "bob is let in" answers 200 "$bob:bob-pw"
verifiers=$(pids verifier-pam | sort | tr '\n' ' ')

settled() {
	[ "$(helper_pids | wc -l)" -le 2 ] && no_zombies
}
# What a module does to bob, the status of that, and what the log says.
suffers() {
	bad_for_bob "$1"
	how=${1%% *}
	begin=$(date +%s%N)
	ask "$bob:bob-pw" ''
	took=$((($(date +%s%N) - begin) / 1000000))
	expect_status "$2" "$how"
	[ -z "$3" ] || check "$how: the log says why" \
	    log_has "$AUTHD_LOG" "reason=\"$3"
	check "$how: answered in time ($took ms)" [ "$took" -lt "${4:-1500}" ]
	check "$how: alice is let in" answers 200 "$alice:alice-pw"
	check "$how: no zombie, no more than two helpers" wait_until 5 settled
}
# Sanitizers turn the signals into an exit.
suffers crash 503 'a module (was ended by signal 11|exited)'
suffers abort 503 'a module (was ended by signal 6|exited)'
suffers exit 503 'a module exited with status 0'
suffers noise 503 'a module broke the helper'
suffers close 503 'a module closed its files'
suffers hang 503 'modules did not finish in time' 3500
suffers twice 401 'asked for more than a password'

# Of both verifiers, at the same time; the next who come need not wait.
bad_for_bob hang
for password in x y; do
	curl -sS -m 10 -o /dev/null -w '%{http_code}\n' -u "$bob:$password" \
	    "http://$AUTHD/token" &
	PIDS="$PIDS $!"
done >"$T/codes"
both_busy() {
	[ "$(helper_pids | wc -l)" -eq 2 ]
}
check "two hang" wait_until 2 both_busy
ask "$alice:alice-pw" ''
expect_status 200 "alice is let in when they are gone"
both_done() {
	[ "$(wc -l <"$T/codes")" -eq 2 ]
}
check "both are answered" wait_until 5 both_done
expect "both with 503" "503 503" "$(tr '\n' ' ' <"$T/codes" | sed 's/ $//')"

# ---- what they leave behind ------------------------------------------------

left_alone() {
	[ -s "$T/left" ] || return 1
	while read -r pid; do
		kill -0 "$pid" 2>/dev/null && return 1
	done <"$T/left"
	return 0
}
for how in fork daemon hangfork; do
	rm -f "$T/left"
	code=200
	[ "$how" = hangfork ] && code=503
	suffers "$how $T/left" "$code" '' 3500
	check "$how: its process is gone" wait_until 2 left_alone
done

# ---- what they find --------------------------------------------------------

bad_for_bob "environment $T/environment"
ask "$bob:bob-pw" ''
expect "descriptors 0 to 3, a process group, signals as usual" "4 1 1" \
    "$(cat "$T/environment")"
bad_for_bob "items $T/items"
ask "$bob:bob-pw" ''
expect "PAM_RHOST, PAM_TTY, PAM_USER" "127.0.0.1 authd $bob" \
    "$(cat "$T/items")"

# A module gives the user another name: that one counts.
pam_service "auth required $HOSTILE user=$bob rename $alice" \
    "auth required $HOSTILE 0" 'account required pam_unix.so'
ask "$bob:x" ''
expect_status 200 "a user is renamed"
expect "the token is the other's" "$alice" "$(claims .sub)"
for name in root '../x' ''; do
	pam_service "auth required $HOSTILE user=$bob rename '$name'" \
	    'account required pam_permit.so'
	ask "$bob:x" ''
	check "renamed to '$name': $status" [ "$status" -ge 401 ]
done

# What a module says, and what clients see of that.
for code in 3:503 4:503 5:503 6:401 7:401 8:503 9:503 10:401 11:401 12:401 \
    13:401 16:401 17:503 19:503 26:503 27:401; do
	bad_for_bob "${code%:*}"
	ask "$bob:bob-pw" ''
	expect_status "${code#*:}" "PAM result ${code%:*}"
done

expect "the verifiers are the same" "$verifiers" \
    "$(pids verifier-pam | sort | tr '\n' ' ')"
for pid in $verifiers; do
	check "verifier $pid has no more than its descriptors" \
	    [ "$(find "/proc/$pid/fd" -type l | wc -l)" -le 10 ]
done
left=$(helper_pids)
stop_authd
for pid in $left; do
	check "helper $pid is gone" is_gone "$pid"
done
