#!/bin/sh
# SPDX-License-Identifier: ISC
# LDAP: groups in each way that directories keep them, by their rights.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh
make_directory
start_slapd slapd

# A repository for each group, and one for a group of configured users.
rules() {
	cat <<-CONF
	groups: {dev: [], admins: [], posix: [], inner: [], outer: [],
	  specials: [], "r&d, (x)": [], local: [alice]}
	access:
	CONF
	for group in dev admins posix inner outer specials 'r&d, (x)' local
	do
		echo "  - {group: \"$group\", repository: \"$(echo "$group" |
		    tr -dc a-z)\", actions: [pull]}"
	done
}

start_groups() {
	stop_authd
	ldap_usual "$@"
	make_token_key
	authd_conf | sed '/^htpasswd:/d; /^groups:/,/^  - {user: "\*", rep/d' \
	    >"$T/authd.yml"
	rules >>"$T/authd.yml"
	AUTHD_LOG=$T/authd.log
	start_daemon authd "$T/authd.yml" "$AUTHD_LOG"
	AUTHD_PID=$started AUTHD=localhost:$port
}

# Which of all repositories a user may pull.
all='scope=repository:dev:pull&scope=repository:admins:pull'
all="$all&scope=repository:posix:pull&scope=repository:inner:pull"
all="$all&scope=repository:outer:pull&scope=repository:specials:pull"
all="$all&scope=repository:rdx:pull&scope=repository:local:pull"
may() {
	user=$1 want=$2
	ask "$user:$user-pw" "$all"
	expect_status 200 "$mode: $user logs in"
	expect "$mode: groups of $user" "$want" "$(claims \
	    '[.access[] | select(.actions != []).name] | sort | join(" ")')"
}

base='base: "ou=groups,dc=test"'
mode=memberof
start_groups "groups: {mode: memberof, $base}"
may alice 'dev local'
may Bob 'rdx'
may carol 'inner'

mode=member
start_groups "groups: {mode: member, $base}"
may alice 'dev local'
may Bob 'rdx'
may carol 'inner'

mode='member, nested'
start_groups "groups: {mode: member, nested: true, $base}"
may alice 'dev local'
may Bob 'rdx specials'
may carol 'inner outer'

mode=memberuid
start_groups "groups: {mode: memberuid, $base}"
may alice 'local posix'
may Bob 'posix'
may carol ''

# slapd does not know Active Directory's rule; the filter stands in for it.
mode='ad_nested with a filter'
start_groups "groups: {mode: ad_nested, $base,
    filter: '(|(member={dn})(memberUid={user}))'}"
may alice 'dev local posix'

mode='another base'
start_groups 'groups: {mode: memberof, base: "ou=elsewhere,dc=test"}'
may alice 'admins local'
mode='another attribute'
start_groups "groups: {mode: memberof, name_attr: ou, $base}"
may alice 'local'

mode=required
start_groups "groups: {mode: memberof, $base}" 'require_group: dev'
may alice 'dev local'
ask carol:carol-pw ''
expect_refused
