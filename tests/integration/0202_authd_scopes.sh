#!/bin/sh
# SPDX-License-Identifier: ISC
# What is granted of what is asked: rules, groups, and scopes as clients
# really write them.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

granted() {
	ask "$1" "$2"
	expect_access "$3"
}

A=alice:alice-pw B=bob:bob-pw ADMIN=admin:admin-pw
granted $A 'scope=repository:alice/x/y:pull,push,delete' \
    'repository:alice/x/y:pull,push,delete'
granted $A 'scope=repository:bob/x:pull' ''
granted $A 'scope=repository:alice/x:*' \
    'repository:alice/x:pull,push,delete'
granted $B 'scope=repository:team/x:pull,delete' 'repository:team/x:pull'
granted $ADMIN 'scope=repository:team/x:pull' 'repository:team/x:pull'
granted $ADMIN 'scope=repository:a:*' 'repository:a:pull,push,delete,*'
granted $ADMIN 'scope=registry:catalog:*' 'registry:catalog:*'
granted $A 'scope=registry:catalog:*' ''
granted - 'scope=registry:catalog:*' ''
granted - 'scope=repository:alice/x:pull' ''

# One parameter or several, spaces or plus signs.
both='repository:alice/a:pull repository:alice/b:push'
granted $A 'scope=repository:alice/a:pull&scope=repository:alice/b:push' \
    "$both"
granted $A 'scope=repository:alice/a:pull+repository:alice/b:push' "$both"
granted $A 'scope=repository:alice/a:pull%20repository:alice/b:push' "$both"
encoded=repository%3Aalice%2Fa%3Apull
granted $A "scope=$encoded&scope=repository:alice/b:push" "$both"
twice=repository:alice/a:push,pull,pull,fly
granted $A "scope=$twice&scope=repository:alice/a:delete" \
    'repository:alice/a:pull,push,delete'
granted $A 'scope=repository(plugin):alice/a:pull' 'repository:alice/a:pull'

# Senseless scopes are ignored, and are no error.
for scope in foo ::: repository:a repository::pull repository:alice/a: \
    REPOSITORY:alice/a:pull repository:alice/A:pull \
    repository:localhost:5000/alice/a:pull repository:alice/../bob/x:pull \
    repository:alice//x:pull repository:alice/%2e%2e/x:pull \
    repository:alice/x%252fy:pull repository:alice/x%0a:pull \
    repository:alice/%c3%a4:pull registry:other:* \
    "repository:alice/$(printf '%0260d' 1):pull"; do
	granted $A "scope=$scope&scope=repository:alice/ok:pull" \
	    'repository:alice/ok:pull'
	expect_status 200
done

many=$(seq 1 64 | sed 's,.*,repository:alice/r&:pull,' | tr '\n' '+')
ask $A "scope=$many"
expect_status 200 "64 scopes"
ask $A "scope=${many}repository:alice/r65:pull"
expect_status 400 "65 scopes"
expect_json '.error == "invalid_scope"'

x=repository:team/x:pull
check "the audit line names user, scopes and rule" wait_log "$AUTHD_LOG" \
    "\"token issued\" auth.user.name=bob .*asked=$x,delete granted=$x rule=4 "
check "the audit line says that no rule matched" wait_log "$AUTHD_LOG" \
    'granted="" rule=- '
