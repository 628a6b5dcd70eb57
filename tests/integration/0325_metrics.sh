#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Metrics for Prometheus at http.debug.addr, by distribution's own keys: what
# is asked for is counted, what collection does too, and a counter does not
# go back when the process that counted has ended.
cd "$(dirname "$0")" && . ./lib.sh

# metrics [CURL-OPTION]...: into $T/metrics
metrics() {
	curl -sS -m 10 -o "$T/metrics" -w '%{http_code}' \
	    "http://$DEBUG/metrics" "$@" >"$T/code" 2>"$T/curl.err"
}

# value SERIES
value() {
	metrics
	awk -v want="$1" '$1 == want { print $2 }' "$T/metrics"
}

is_value() {
	[ "$(value "$1")" = "$2" ]
}

# reaches SERIES N: values come once a second
reaches() {
	wait_until 5 is_value "$1" "$2" || true
	expect "$1" "$2" "$(value "$1")"
}

start() {
	CONF_HTTP='  debug:
    addr: localhost:0
    prometheus: {enabled: true, path: /metrics}'
	CONF_REGISTRYD='  workers: 1
  collect: {enabled: false, grace: 100ms, delay: 0s, interval: 1h}'
	start_registryd
	check "where it serves them is in the log" wait_log "$REGISTRYD_LOG" \
	    'msg=metrics address='
	DEBUG=localhost:$(sed -n \
	    's/.*msg=metrics address=.*:\([0-9]*\)"*$/\1/p' \
	    "$REGISTRYD_LOG" | tail -n 1)
}

start
metrics -D "$T/head"
expect "metrics are served" 200 "$(cat "$T/code")"
expect "their type" 'text/plain; version=0.0.4; charset=utf-8' \
    "$(header Content-Type)"

# ---- what clients do --------------------------------------------------------

requests='registryd_http_requests_total{method='
blob=$(make_blob 100000)
push_blob a/b "$blob" || die "cannot push a blob"
reaches "$requests\"POST\",code=\"2xx\"}" 1
reaches "$requests\"PUT\",code=\"2xx\"}" 1
reaches registryd_http_request_body_bytes_total 100000
req GET "/v2/a/b/blobs/$(digest "$blob")"
req GET /v2/no/such/tags/list
expect_status 404 "no such repository"
reaches "$requests\"GET\",code=\"4xx\"}" 1
check "bytes that were sent" \
    [ "$(value registryd_http_response_body_bytes_total)" -gt 100000 ]

worker=$(children "$REGISTRYD_PID" worker)
kill -KILL "$worker"
reaches 'registryd_restarts_total{process="worker"}' 1
expect "what it counted stays" 1 \
    "$(value "$requests\"GET\",code=\"4xx\"}")"
req GET /v2/x/y/tags/list
reaches "$requests\"GET\",code=\"4xx\"}" 2

# ---- what the collector does ------------------------------------------------

ctl() {
	"$BUILD/registryctl" -f "$T/registryd.yml" "$@" >"$T/out" 2>&1
}

ctl status
check "registryctl tells of the monitor" \
    grep -q '^registryd: .*, a monitor$' "$T/out"
check "and how often one was started again" \
    grep -q '^restarts:  *1 workers, .*, 0 monitors$' "$T/out"

expect "before the first collection" '' \
    "$(value registryd_collection_last_end_timestamp_seconds)"
sleep 0.2			# the grace
ctl collect
sleep 0.2
ctl collect
reaches registryd_collections_total 2
reaches 'registryd_collection_condemned_total{class="blob"}' 1
reaches 'registryd_collection_deleted_total{class="blob"}' 1
reaches registryd_collection_deleted_bytes_total 100000
reaches registryd_collection_failures_total 0
now=$(date +%s)
check "the last one was just now" [ "$(value \
    registryd_collection_last_end_timestamp_seconds | cut -d . -f 1)" -gt \
    $((now - 60)) ]
make_image a/b t >/dev/null || fail "push an image"
ctl scrub
reaches registryd_scrubs_total 1
reaches registryd_scrub_blobs_total 3
kill -KILL "$(children "$REGISTRYD_PID" collector)"
reaches 'registryd_restarts_total{process="collector"}' 1
expect "its counters stay" 2 "$(value registryd_collections_total)"

reaches 'registryd_degraded{reason="readonly-mark"}' 0
ctl readonly on
reaches 'registryd_degraded{reason="readonly-mark"}' 1
ctl readonly off
reaches 'registryd_degraded{reason="readonly-mark"}' 0

# ---- the text ---------------------------------------------------------------

metrics
name='[a-zA-Z_:][a-zA-Z0-9_:]*'
label='[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]*"'
refuse "every line is one of the format" grep -Evx \
    "# HELP $name .+|# TYPE $name (counter|gauge)|$name(\{$label(,$label)*\})? \
[0-9]+(\.[0-9]+)?" "$T/metrics"
expect "no series is there twice" '' \
    "$(grep -v '^#' "$T/metrics" | cut -d ' ' -f 1 | sort | uniq -d)"
expect "the version" "$("$BUILD/registryd" --version | cut -d ' ' -f 2)" \
    "$(sed -n 's/^registryd_build_info{version="\(.*\)"} 1$/\1/p' \
    "$T/metrics")"

# ---- who asks ---------------------------------------------------------------

# code STATUS PATH [CURL-OPTION]...
code() {
	want=$1 path=$2
	shift 2
	expect "$path $*" "$want" "$(curl -sS -m 10 -o "$T/body" \
	    -w '%{http_code}' "http://$DEBUG$path" "$@" 2>&1)"
}

code 200 /metrics -I
code 200 '/metrics?x=1'
code 404 /
code 404 /metrics/
code 404 /debug/pprof/
code 404 /v2/
code 405 /metrics -X POST
code 405 /metrics -X DELETE
code 405 /metrics -T "$blob" -H Expect:
code 414 "/$(head -c 8000 /dev/zero | tr '\0' a)"
req GET /metrics
expect_status 404 "not where clients are"

monitor=$(children "$REGISTRYD_PID" monitor)
expect "one process has it" 1 "$(echo "$monitor" | wc -w)"
if is_root; then
	expect "it is not who owns the store, nor in his group" '62002 62002' \
	    "$(awk '/^Uid:/ { u = $3 } /^Groups:/ { print u, $2 $3 $4 }' \
	    "/proc/$monitor/status")"
fi
refuse "it has no store" sh -c \
    "ls -l /proc/$monitor/fd | grep -F '$STORE'"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	curl -sS -m 3 --limit-rate 1 -o /dev/null "http://$DEBUG/metrics" \
	    2>/dev/null &
	slow="${slow:-} $!"
done
# shellcheck disable=SC2086
wait $slow
code 200 /metrics
kill -KILL "$monitor"
wait_until 10 metrics
reaches 'registryd_restarts_total{process="monitor"}' 1
req GET /v2/
expect_status 200 "the registry lives"

# ---- another configuration --------------------------------------------------

kill -HUP "$REGISTRYD_PID"
check "a reload" wait_log "$REGISTRYD_LOG" 'msg=reloaded'
reaches 'registryd_restarts_total{process="monitor"}' 1
sed -i '/enabled: true, path/s/true/false/' "$T/registryd.yml"
kill -HUP "$REGISTRYD_PID"
no_monitor() {
	[ -z "$(children "$REGISTRYD_PID" monitor)" ]
}
check "turned off: no process" wait_until 10 no_monitor
refuse "nothing listens" metrics
check "the log says what is missing" wait_log "$REGISTRYD_LOG" \
    'http.debug.addr: ignored without http.debug.prometheus.enabled'
stop_registryd
CONF_HTTP='' CONF_REGISTRYD=''
REGISTRY_HTTP_DEBUG_ADDR=localhost:0
REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED=true
export REGISTRY_HTTP_DEBUG_ADDR REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED
start_registryd
check "by the environment" wait_log "$REGISTRYD_LOG" 'msg=metrics address='
stop_registryd
