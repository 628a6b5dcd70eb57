#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Scrubs by schedule: one goes on where it was when registryd ended, the next
# comes after the interval and finds what has gone bad, collection goes
# between, and status tells of the last and the next one.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

# FILTER: of status; true or not.
is() {
	ctl status --json >"$T/status" && jq -e "$1" "$T/status" >/dev/null
}
state() {
	ctl status --json | jq -r "$1"
}

CONF_REGISTRYD='  collect: {enabled: false}'
start_registryd
for i in 1 2 3 4 5 6; do
	make_image r "v$i" $((100000 + i)) >/dev/null
done
check 'not by itself' is '.scrub.scheduled == false and .scrub.next == null'
stop_registryd

CONF_REGISTRYD='  collect: {interval: 500ms, grace: 100ms, delay: 0s}
  scrub: {enabled: true, interval: 20s, rate: 200KiB}'
start_registryd
check 'the first begins' wait_until 10 is '.job.job == "scrub"'
runs=$(state .totals.collections)
check 'and comes to the middle' wait_until 20 is \
    '.job.job == "scrub" and .job.done > 100'
check 'collections beside it' wait_until 10 is ".totals.collections > $runs"
stop_registryd
check 'it is under way' is '.scrub.under_way.part > 100 and
    .scrub.under_way.blobs < .blobs'
began=$(state .scrub.under_way.began)
start_registryd
check 'it comes to its end' wait_until 20 is '.scrub.last.ended != null'
check 'the same one' is ".scrub.last.began == \"$began\""
check 'each blob was read' is '.scrub.last.blobs == .blobs and
    .scrub.last.bytes == .blob_bytes'
check 'none is bad' is '.scrub.last.bad == 0'
check 'the next comes later' is '.scrub.next > .scrub.last.ended'
check 'for a person' exits 0 status
check 'too' shown '^last scrub: +ended .*: [0-9]+ blobs, 0 bad'
check 'and the next' shown '^next scrub: +2'
stop_registryd

bad=$(find "$STORE/docker/registry/v2/blobs" -size +50k | head -n 1)
hex=$(basename "$(dirname "$bad")")
printf '\377' | dd of="$bad" bs=1 seek=5 conv=notrunc 2>/dev/null
CONF_REGISTRYD='  scrub: {enabled: true, interval: 100ms, rate: 0}'
start_registryd
check 'what goes bad is found' wait_until 10 [ ! -e "$bad" ]
check 'and said' wait_until 10 grep -q "scrub: sha256:$hex: wrong bytes" \
    "$T/registryd.log"
check 'status goes on' wait_until 10 is '.scrub.last.blobs == .blobs'
stop_registryd
