#!/bin/sh
# SPDX-License-Identifier: ISC
# The process tree of registryd: who runs as whom, who holds what, and what
# becomes of a child that is killed.
cd "$(dirname "$0")" && . ./lib.sh && . ./processes.sh

ids_of() {
	awk '$1 == "Uid:" { u = $2 "," $3 "," $4 }
	    $1 == "Gid:" { g = $2 "," $3 "," $4 }
	    $1 == "Groups:" { $1 = ""; sub(/^ /, ""); s = $0 }
	    END { sub(/ +$/, "", s); print u "/" g "/" s }' "/proc/$1/status"
}

check_users() {
	if ! is_root; then
		for pid in $(children "$REGISTRYD_PID"); do
			expect "$(role_of "$pid") runs as we do" "$(id -u)" \
			    "$(ids_of "$pid" | cut -d , -f 1)"
		done
		return
	fi
	for pid in $(children "$REGISTRYD_PID"); do
		case $(role_of "$pid") in
		worker)
			want="62002,62002,62002/62002,62002,62002/62001 62002"
			;;
		*)
			want="62001,62001,62001/62001,62001,62001/62001"
			;;
		esac
		expect "$(role_of "$pid") has its user" "$want" \
		    "$(ids_of "$pid")"
		check "$(role_of "$pid") has an empty root directory" \
		    [ -z "$(ls -A "/proc/$pid/root/")" ]
	done
}

# Inodes of all internet sockets of this machine.
inet_sockets() {
	awk 'FNR > 1 { print "socket:[" $10 "]" }' /proc/net/tcp /proc/net/tcp6
}

# What a process holds, one word for each descriptor above standard error.
# $2: the file that may be standard output.
holdings() {
	for fd in "/proc/$1/fd"/*; do
		what=$(readlink "$fd") || continue
		mode=$(sed -n 's/^flags:.*\([0-9]\)$/\1/p' \
		    "/proc/$1/fdinfo/${fd##*/}")
		case ${fd##*/}:$what in
		[01]:/dev/null|1:"$2") ;;
		2:*) ;;
		*:anon_inode:*eventpoll*) ;;
		*:pipe:*) echo pipe ;;
		*:"$STORE") [ "$mode" = 0 ] && echo store || echo "$what" ;;
		*:socket:*)
			if grep -qFx "$what" "$T/inet"; then
				echo listener
			else
				echo channel
			fi
			;;
		*) echo "$what" ;;
		esac
	done | sort | uniq -c | awk '{ print $2 "*" $1 }' | tr '\n' ' '
}

# Two pipes are one: the event loop's own, for signals.
check_descriptors() {
	inet_sockets >"$T/inet"
	for pid in $(children "$REGISTRYD_PID"); do
		case $(role_of "$pid") in
		worker) want="channel*3 listener*1 pipe*2 store*1 " ;;
		# the second of the store is for syncing all
		keeper) want="channel*3 pipe*2 store*2 " ;;
		# one channel is the control socket
		collector) want="channel*2 pipe*2 store*2 " ;;
		*) want="channel*1 pipe*2 store*1 " ;;
		esac
		expect "$(role_of "$pid") holds what it may" "$want" \
		    "$(holdings "$pid" -)"
	done
	# The binary stays open: children are of the parent's version.
	# shellcheck disable=SC2046
	set -- $(holdings "$REGISTRYD_PID" "$REGISTRYD_LOG")
	for what; do
		case $what in
		channel\*6|listener\*1|pipe\*2|store\*1|*/registryd\*1) ;;
		*) fail "parent holds $what" ;;
		esac
	done
	expect "the parent holds five kinds of things" 5 $#
}

has_child_beside() {
	now=$(children "$REGISTRYD_PID" "-P $1 " | tr '\n' ' ')
	case " $now" in
	*" $2 "*) return 1 ;;
	esac
	[ "$(echo "$now" | wc -w)" -eq "$3" ]
}

# Each child in turn: only it goes, and it is back within a second.
check_kill() {
	for pid in $(children "$REGISTRYD_PID"); do
		role=$(role_of "$pid")
		n=$(children "$REGISTRYD_PID" "-P $role " | wc -l)
		began=$(date +%s%N)
		kill -9 "$pid"
		wait_until 5 has_child_beside "$role" "$pid" "$n"
		took=$((($(date +%s%N) - began) / 1000000))
		check "$role is back within 1 s ($took ms)" [ "$took" -lt 1000 ]
		check "the parent stays" kill -0 "$REGISTRYD_PID"
		check "pushing works again" wait_until 2 push_blob \
		    a/after-kill "$(make_blob 1000)"
	done
	expect "one line for each death" 5 \
	    "$(grep -c 'ended by signal 9 .*restart in' "$REGISTRYD_LOG")"
}

start_registryd
check_users
# Who is not dumpable shows its descriptors to root only.
if is_root; then
	check_descriptors
fi
check_kill
