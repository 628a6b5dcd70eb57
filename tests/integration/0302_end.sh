#!/bin/sh
# SPDX-License-Identifier: ISC
# The end: SIGTERM lets what is under way finish, a second one does not, and
# nobody outlives the parent.
cd "$(dirname "$0")" && . ./lib.sh && . ./processes.sh

check_drain() {
	upload_slowly a/drain
	kill -TERM "$REGISTRYD_PID"
	is_deaf() { ! curl -s -o /dev/null -m 2 "http://$REGISTRY/v2/"; }
	check "SIGTERM: no new connection" wait_until 5 is_deaf
	check "SIGTERM: the parent waits" kill -0 "$REGISTRYD_PID"
	wait "$upload"
	expect "SIGTERM: the upload is finished" 201 "$(cat "$T/upload.status")"
	wait "$REGISTRYD_PID"
	expect "SIGTERM: exit status" 0 $?
	for pid in $before; do
		check "SIGTERM: child $pid has gone" is_gone "$pid"
	done
	REGISTRYD_PID=
}

# Nobody outlives the parent, and a second SIGTERM does not wait.
check_sudden_ends() {
	start_registryd
	before=$(children "$REGISTRYD_PID" | tr '\n' ' ')
	kill -9 "$REGISTRYD_PID"
	for pid in $before; do
		check "killed parent: child $pid goes too" \
		    wait_until 2 is_gone "$pid"
	done
	start_registryd
	upload_slowly a/sudden
	kill -TERM "$REGISTRYD_PID"
	wait_log "$REGISTRYD_LOG" 'ending on signal'
	ends_on_another() {
		kill -TERM "$REGISTRYD_PID"
		is_gone "$REGISTRYD_PID"
	}
	check "second SIGTERM: ends at once" wait_until 1 ends_on_another
	wait "$upload"
	REGISTRYD_PID=
}

start_registryd
before=$(children "$REGISTRYD_PID" | tr '\n' ' ')
check_drain
check_sudden_ends
