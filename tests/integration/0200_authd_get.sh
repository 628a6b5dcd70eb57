#!/bin/sh
# SPDX-License-Identifier: ISC
# GET /token: who gets a token, who does not, and the exact answers.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

login='account=x&client_id=docker&offline_token=true&service=registry.test'
ask alice:alice-pw "$login"
expect_status 200 "login without a scope"
expect_header Content-Type application/json
expect_header Cache-Control no-store
expect_header Pragma no-cache
expect_json '.token == .access_token and .expires_in == 300'
expect_json '(keys | sort) == ["access_token", "expires_in", "token"]'
expect "sub is who authenticated, whatever account says" alice \
    "$(claims .sub)"
expect_access ''
expect "times are integers of the configured lifetime" true "$(claims '
    (.exp - .iat) as $life | ([.exp, .nbf, .iat] | all(. == floor)) and
    $life >= 300 and $life <= 400 and .nbf == .iat')"
expect "iss, aud" "authd registry.test" "$(claims '.iss + " " + .aud')"
expect "header" 'RS256 JWT 1' \
    "$(token_part 1 | jq -r '"\(.alg) \(.typ) \(.x5c | length)"')"

ask - ''
expect_refused 'authentication required'
ask - 'service=registry.test&scope='
expect_refused 'authentication required'
ask - 'account=alice&scope=repository:public/a:pull,push'
expect_status 200 "anonymous by rule"
expect "its sub is empty" '' "$(claims .sub)"
expect_access 'repository:public/a:pull'

for who in alice:wrong nobody:alice-pw alice: :alice-pw : ALICE:alice-pw \
    'alice:alice-pw ' 'alice:*0'; do
	ask "$who" 'scope=repository:public/a:pull'
	expect_refused
done
for header in 'Basic' 'Basic !' 'Basic YWxpY2U=' 'Bearer x' \
    'Basic YWxpY2U6YWxpY2UtcHcAeA==' 'Basic YWxpY2U6 YWxpY2UtcHc='; do
	ask - 'scope=repository:public/a:pull' -H "Authorization: $header"
	expect_refused
done
basic='Authorization: Basic YWxpY2U6YWxpY2UtcHc='
ask - '' -H "$basic" -H "$basic"
expect_status 400 "two Authorization headers"

for service in other a+b registry.test%00 REGISTRY.TEST \
    'registry.test&service=registry.test'; do
	ask alice:alice-pw "service=$service"
	expect_status 400
	expect_json '.error == "invalid_request"'
done
ask alice:alice-pw 'service='
expect_status 200 "the only service is the default"

for path in /auth /auth/token /service/token /v2/token; do
	req GET "http://$AUTHD$path?service=registry.test" -u alice:alice-pw
	expect_status 200
done
