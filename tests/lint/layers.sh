#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The layers: a file includes only from its own row or a row below.  One
# function per tree gives the row of a module, 0 at the bottom; a module
# that has no row fails, so that a new one is placed on purpose.
set -u
cd "$(dirname "$0")/../.." || exit 1

registryd_row() {
	case $1 in
	setup|setup_*) echo 5 ;;
	registryd|registryd_*|worker|worker_*|keeper|keeper_[!c]*|keeper_commit) echo 5 ;;
	verifier|monitor) echo 5 ;;
	collector|collector_*|registryctl|registryctl_*) echo 5 ;;
	request|request_*) echo 4 ;;
	route|access|access_*|api|api_*|keeper_client|keeper_call) echo 3 ;;
	verifier_client) echo 3 ;;
	repo|repo_*|link|tag|upload|upload_*|manifest|manifest_*) echo 2 ;;
	descriptor|referrer|referrer_*|gc|gc_*) echo 2 ;;
	fsck|fsck_*|scrub|scrub_*|admin|admin_*) echo 2 ;;
	export|export_*|import|import_*|usage|trouble) echo 2 ;;
	store|store_*|sysfs) echo 1 ;;
	# conf.h holds the durability as store.h names it
	conf|conf_*) echo 1 ;;
	digest|digest_scan|reference|mediatype|layout) echo 0 ;;
	messages|metrics|metrics_feed|restarts) echo 0 ;;
	token_keys|tar) echo 0 ;;
	esac
}

authd_row() {
	case $1 in
	authd|authd_*|worker|worker_*|broker|broker_[!c]*) echo 5 ;;
	verifier|verifier_*|signer|signer_*) echo 5 ;;
	vault_db|vault_db_*) echo 1 ;;
	vault|vault_*) echo 5 ;;
	authctl|authctl_*) echo 5 ;;
	request) echo 4 ;;
	api|api_*|broker_client) echo 3 ;;
	acl|acl_*|claims|claims_*|token_request) echo 2 ;;
	rights) echo 2 ;;
	# "proxies:" is checked by who will read it
	proxies|conf_throttle) echo 2 ;;
	# "access:" becomes an acl
	conf_access|conf_expect|conf_htgroup|conf_wire) echo 2 ;;
	# "ldap:" is checked with the parser of addresses
	ldap_uri) echo 0 ;;
	# groups and rules of others become ours
	htgroup) echo 1 ;;
	import|import_*) echo 5 ;;
	cred|cred_*|ldap_*) echo 1 ;;
	conf|conf_*|messages|credential) echo 0 ;;
	esac
}

common_row() {
	case $1 in
	http_conn|http_conn_*|http_exchange|http_response) echo 5 ;;
	http_send|http_server|http_input|http_body|http_wait) echo 5 ;;
	listener|listener_*|http|http_*|tls|tls_*|scope|throttle) echo 4 ;;
	jws|jws_*|jwk|jwk_*|jwks) echo 4 ;;
	msg|msg_*|proc|proc_*|spawn|supervise|supervise_*) echo 3 ;;
	privdrop|sandbox|sandbox_*|reload) echo 3 ;;
	pending|watch|cred_answer|cred_cache) echo 4 ;;
	verifiers|verify|verify_*|control|control_*) echo 4 ;;
	loop|json|json_*|yamldoc|yamldoc_*) echo 2 ;;
	buf|uri|pwhash|htpasswd|frozen) echo 1 ;;
	# log escapes with str, random writes hex with encode
	str|encode|log|log_messages|xmem|secret|clock|random) echo 0 ;;
	compat|compat_*|compat/*) echo 0 ;;
	esac
}

# FILE TREE: compare its row with that of each header of the same tree.
check_file() {
	file=$1 tree=$2
	module=$(basename "$file" | sed 's/\.[ch]$//')
	case $file in common/compat/*) module=compat ;; esac
	own=$("${tree}_row" "$module")
	if [ -z "$own" ]; then
		echo "$file: module $module has no row in $0"
		return
	fi
	sed -n 's/^#include "\(.*\)\.h"$/\1/p' "$file" |
	while read -r header; do
		case $file in
		common/compat/*) header=compat/$header ;;
		esac
		if [ "$tree" = common ] || [ -f "$tree/$header.h" ]; then
			row=$("${tree}_row" "$header")
			[ "${row:-9}" -le "$own" ] || echo "$file: includes" \
			    "$header.h, row ${row:-unknown} above $own"
		elif ! [ -f "include/$header.h" ]; then
			echo "$file: $header.h is not in $tree/ or include/"
		fi
	done
}

found=$(
	for file in common/*.c common/compat/*.c include/*.h; do
		[ -f "$file" ] && check_file "$file" common
	done
	for tree in registryd authd; do
		for file in "$tree"/*.[ch]; do
			check_file "$file" "$tree"
		done
	done
)
[ -z "$found" ] || { echo "$found"; exit 1; }
