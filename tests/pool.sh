#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Sourced by campaigns: what a list says, some lines of it at a time, by
# processes that end with the campaign.
#
#   pool DIR JOBS	call "unit LINE" for each line of DIR/list, JOBS of them
#			at once; "tell" each minute; after a signal "stopped"
#   attend COMMAND...	in a unit: run it, and end it with the campaign

attend() {
	"$@" &
	echo $! >"$pool_dir/pid.$pool_number"
	wait $!
}

pool_worker() {
	pool_number=$1
	line=0
	while read -r words; do
		line=$((line + 1))
		mkdir "$pool_dir/claim.$line" 2>/dev/null || continue
		unit "$words"
	done <"$pool_dir/list"
	: >"$pool_dir/done.$pool_number"
}

pool_end() {
	trap '' HUP INT TERM
	# shellcheck disable=SC2086
	kill $pool_pids 2>/dev/null
	cat "$pool_dir"/pid.* 2>/dev/null | while read -r pid; do
		kill "$pid" 2>/dev/null
	done
	wait
	stopped
	exit 2
}

pool() {
	pool_dir=$1
	pool_pids=
	rm -rf "$pool_dir"/claim.* "$pool_dir"/pid.* "$pool_dir"/done.*
	trap pool_end HUP INT TERM
	n=0
	while [ $n -lt "$2" ]; do
		n=$((n + 1))
		pool_worker $n &
		pool_pids="$pool_pids $!"
	done
	ticks=0
	while [ "$(find "$pool_dir" -name 'done.*' | wc -l)" -lt "$2" ]; do
		sleep 0.2
		ticks=$((ticks + 1))
		[ $((ticks % 300)) -ne 0 ] || tell
	done
	wait
	trap - HUP INT TERM
	rm -rf "$pool_dir"/claim.* "$pool_dir"/pid.* "$pool_dir"/done.*
}
