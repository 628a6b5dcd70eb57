#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two registryds of one host with one directory: the first has the control
# socket, and the second takes it over when the first has ended.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

asked() {
	[ "$(ctl status --json | jq -r .parent)" = "$1" ]
}

start_registryd
first=$REGISTRYD_PID
PIDS="$PIDS $first"

# Another log for the second, which is what the functions know from now on.
background "$T/second.log" "$BUILD/registryd" -f "$T/registryd.yml"
REGISTRYD_PID=$started
wait_log "$T/second.log" 'msg="?ready' 20 || die 'the second is not ready'
check 'the second says who has it' grep -q 'another program listens there' \
    "$T/second.log"
check 'the first answers' asked "$first"

# More than one try of the second, which must take nothing from the first.
kill -HUP "$REGISTRYD_PID"
wait_log "$T/second.log" reloaded 20 || die 'the second does not reload'
check 'also after a reload of the second' asked "$first"
collector=$(children "$first" '-P collector ')
sleep 6				# it tries every five seconds
check 'and after it has tried again' asked "$first"
check 'its collector is the same' kill -0 "$collector"
refuse 'the second says nothing of these' grep -q 'is free' "$T/second.log"

stop_pid "$first" 15
check 'nobody answers at first, or the second already' exits 0 status
check 'the second takes it over' wait_until 15 asked "$REGISTRYD_PID"
check 'which it says once' [ "$(grep -c 'is free: registryctl finds' \
    "$T/second.log")" -eq 1 ]
check 'and it does what it is asked to' exits 0 collect --dry-run

# It has it from then on: also for the next collector, and after a reload.
collector=$(children "$REGISTRYD_PID" '-P collector ')
kill -9 "$collector"
another() {
	now=$(children "$REGISTRYD_PID" '-P collector ')
	[ -n "$now" ] && [ "$now" != "$collector" ]
}
check 'a new collector comes' wait_until 10 another
check 'and answers' wait_until 10 asked "$REGISTRYD_PID"
: >"$T/second.log"
kill -HUP "$REGISTRYD_PID"
check 'a reload' wait_log "$T/second.log" reloaded 20
check 'keeps it' wait_until 10 asked "$REGISTRYD_PID"
refuse 'without a word' grep -q registryd.control "$T/second.log"
