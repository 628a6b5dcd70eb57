#!/bin/sh
# SPDX-License-Identifier: ISC
# The process tree of registryd: who runs as whom and holds what, and what
# happens to it by kill, SIGHUP and SIGTERM.
cd "$(dirname "$0")" && . ./lib.sh

role_of() {
	tr '\0' ' ' <"/proc/$1/cmdline" | sed -n 's/.*-P \([a-z]*\).*/\1/p'
}

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
		keeper) want="channel*3 pipe*2 store*1 " ;;
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
		channel\*5|listener\*1|pipe\*2|store\*1|*/registryd\*1) ;;
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
	expect "one line for each death" "$(children "$REGISTRYD_PID" | wc -l)" \
	    "$(grep -c 'ended by signal 9 .*restart in' "$REGISTRYD_LOG")"
}

is_replaced() {
	now=$(children "$REGISTRYD_PID" | sort | tr '\n' ' ')
	[ "$(echo "$now" | wc -w)" -eq "$(echo "$1" | wc -w)" ] || return 1
	for pid in $1; do
		case " $now" in
		*" $pid "*) return 1 ;;
		esac
	done
}

reload() {
	kill -HUP "$REGISTRYD_PID"
	wait_until 10 log_count "$1" "$2" || fail "reload" "no line \"$1\""
}

log_count() {
	[ "$(grep -c -- "$1" "$REGISTRYD_LOG")" -eq "$2" ]
}

# Requests without a pause while $T/go exists; one line for each failure.
hammer() {
	: >"$T/hammer"
	while [ -e "$T/go" ]; do
		code=$(curl -s -o /dev/null -w '%{http_code}' -m 5 \
		    "http://$REGISTRY/v2/")
		[ "$code" = 200 ] || echo "$code" >>"$T/hammer"
	done
}

check_reload() {
	before=$(children "$REGISTRYD_PID" | tr '\n' ' ')
	: >"$T/go"
	hammer &
	hammer_pid=$!
	reload 'msg=reloaded' 1
	check "SIGHUP replaces all children" wait_until 10 is_replaced "$before"
	rm "$T/go"
	wait "$hammer_pid"
	expect "no request fails during a reload" "" "$(cat "$T/hammer")"
	check "the parent stays" kill -0 "$REGISTRYD_PID"
}

# $1: name, $2: lines for the end of the configuration
check_bad_reload() {
	before=$(children "$REGISTRYD_PID" | sort)
	kept=$((${kept:-0} + 1))
	cp "$T/registryd.yml" "$T/good.yml"
	printf '%s\n' "$2" >>"$T/registryd.yml"
	reload 'old one stays' "$kept"
	expect "$1: the old children stay" "$before" \
	    "$(children "$REGISTRYD_PID" | sort)"
	req GET /v2/
	expect_status 200 "$1: and answer"
	cp "$T/good.yml" "$T/registryd.yml"
}

check_bad_reloads() {
	check_bad_reload "unknown key" "nonsense: 1"
	echo "not a certificate" >"$T/bad.pem"
	check_bad_reload "bad token roots" "auth:
  token: {realm: 'http://127.0.0.1/', service: s, issuer: i,
    rootcertbundle: $T/bad.pem}"
	check_bad_reload "missing file" "auth:
  token: {realm: 'http://127.0.0.1/', service: s, issuer: i,
    rootcertbundle: $T/missing.pem}"
	sed -i "s/addr: .*/addr: 192.0.2.1:1/" "$T/registryd.yml"
	check_bad_reload "address of another machine" ""
	sed -i "s/addr: .*/addr: 127.0.0.1:0/" "$T/registryd.yml"
}

check_new_address() {
	sed -i "s/addr: .*/addr: localhost:0/" "$T/registryd.yml"
	reload 'msg=reloaded' 2
	old=$REGISTRY
	REGISTRY=localhost:$(log_port "$REGISTRYD_LOG")
	refuse "the address is another one" [ "$old" = "$REGISTRY" ]
	req GET /v2/
	expect_status 200 "the new address answers"
	is_deaf() { ! curl -s -o /dev/null -m 2 "http://$old/v2/"; }
	check "the old address does not" wait_until 5 is_deaf
}

check_drain() {
	blob=$(make_blob 600000)
	req POST /v2/a/drain/blobs/uploads/
	where=$(location_with "digest=$(digest "$blob")")
	curl -s -o /dev/null -w '%{http_code}' -m 30 --limit-rate 200k -T "$blob" \
	    -H 'Expect:' "http://$REGISTRY$where" >"$T/drain.status" &
	upload=$!
	is_begun() { [ -n "$(find "$STORE" -path '*_uploads*' \
	    -type f -size +1k)" ]; }
	check "an upload is under way" wait_until 5 is_begun
	kill -TERM "$REGISTRYD_PID"
	is_deaf() { ! curl -s -o /dev/null -m 2 "http://$REGISTRY/v2/"; }
	check "SIGTERM: no new connection" wait_until 5 is_deaf
	check "SIGTERM: the parent waits" kill -0 "$REGISTRYD_PID"
	wait "$upload"
	expect "SIGTERM: the upload is finished" 201 "$(cat "$T/drain.status")"
	wait "$REGISTRYD_PID"
	expect "SIGTERM: exit status" 0 $?
	for pid in $before; do
		check "SIGTERM: child $pid has gone" is_gone "$pid"
	done
	REGISTRYD_PID=
}

# A configuration that cannot work ends the start, with one clear line.
check_bad_start() {
	echo "not a certificate" >"$T/bad.pem"
	{
		cat "$T/registryd.yml"
		echo "auth: {token: {realm: 'http://127.0.0.1/', service: s,"
		echo "  issuer: i, rootcertbundle: $T/bad.pem}}"
	} >"$T/bad.yml"
	"$BUILD/registryd" -f "$T/bad.yml" >"$T/bad.log" 2>&1
	expect "bad start: exit status" 1 $?
	check "bad start: reason" grep -q rootcertbundle "$T/bad.log"
}

start_registryd
check_users
# Who is not dumpable shows its descriptors to root only.
if is_root; then
	check_descriptors
fi
check_kill
check_reload
check_bad_reloads
check_new_address
before=$(children "$REGISTRYD_PID" | tr '\n' ' ')
check_drain
check_bad_start
