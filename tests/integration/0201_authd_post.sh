#!/bin/sh
# SPDX-License-Identifier: ISC
# POST /token: the OAuth2 password grant, and everything else in a form.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

post grant_type=password service=registry.test client_id=c username=alice \
    password=alice-pw scope='repository:alice/a:pull,push registry:catalog:*'
expect_status 200
expect_header Cache-Control no-store
expect_json '.token == .access_token and .expires_in == 300'
expect_json '.scope == "repository:alice/a:pull,push"'
expect_json 'has("refresh_token") or has("issued_at") | not'
expect_access 'repository:alice/a:pull,push'

post grant_type=password username=alice password=alice-pw \
    scope=repository:alice/a:pull scope=repository:alice/b:push scope=
expect_access 'repository:alice/a:pull repository:alice/b:push'
post grant_type=password username=alice password=alice-pw
expect_json '.scope == ""'

for fields in 'username=alice password=wrong' 'username=alice password=' \
    'username=alice' 'password=alice-pw' 'username=al:ice password=x' ''; do
	# shellcheck disable=SC2086
	post grant_type=password scope=repository:public/a:pull $fields
	expect_refused
done
req POST "http://$AUTHD/token" \
    -d 'grant_type=password&username=alice&password=alice-pw%00x'
expect_refused

for fields in '' grant_type= grant_type=refresh_token \
    grant_type=client_credentials; do
	# shellcheck disable=SC2086
	post username=alice password=alice-pw refresh_token=x $fields
	expect_status 400
	expect_json '.error == "unsupported_grant_type"'
done
post grant_type=password username=alice username=bob password=alice-pw
expect_status 400
post grant_type=password service=other username=alice password=alice-pw
expect_status 400
req POST "http://$AUTHD/token" -H 'Content-Type: application/json' \
    -d '{"grant_type":"password"}'
expect_status 400 "another content type"
req POST "http://$AUTHD/token" -u alice:alice-pw
expect_status 400 "POST with Basic and no form"

# Credentials have no place in a query, nor in the log.
req POST "http://$AUTHD/token?username=alice&password=alice-pw" \
    -d grant_type=password
expect_refused
refuse "no password in the log" grep -q alice-pw "$AUTHD_LOG"
