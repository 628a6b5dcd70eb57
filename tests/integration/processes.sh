# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
#
# What the tests of registryd's processes share; after lib.sh.
#
#   role_of PID
#   reload PATTERN N        SIGHUP, and wait for the Nth line of that pattern
#   upload_slowly REPO      begin an upload of 3 s; sets $upload, its pid, and
#       leaves the status in $T/upload.status
#   five_children

role_of() {
	tr '\0' ' ' <"/proc/$1/cmdline" | sed -n 's/.*-P \([a-z]*\).*/\1/p'
}

log_count() {
	[ "$(grep -c -- "$1" "$REGISTRYD_LOG")" -eq "$2" ]
}

reload() {
	kill -HUP "$REGISTRYD_PID"
	wait_until 10 log_count "$1" "$2" || fail "reload" "no line \"$1\""
}

five_children() {
	[ "$(children "$REGISTRYD_PID" | wc -l)" -eq 5 ]
}

upload_slowly() {
	blob=$(make_blob 600000)
	req POST "/v2/$1/blobs/uploads/"
	where=$(location_with "digest=$(digest "$blob")")
	curl -s -o /dev/null -w '%{http_code}' -m 30 --limit-rate 200k \
	    -T "$blob" -H 'Expect:' "http://$REGISTRY$where" \
	    >"$T/upload.status" &
	upload=$!
	is_begun() { [ -n "$(find "$STORE" -path "*/$1/_uploads/*" \
	    -type f -size +1k)" ]; }
	check "an upload is under way" wait_until 5 is_begun "$1"
}
