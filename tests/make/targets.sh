#!/usr/bin/env bash
# Which target calls what.
source "$(dirname "$0")/lib.sh"

promise "ci-docker-ENV builds an environment"
run ci-docker-debian-bookworm-minimal
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
expect_status 0
expect_said 'stagemake build'

promise "ci-docker-ENV-STAGE builds up to a stage"
run ci-docker-debian-bookworm-minimal-configured
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal][--to][configured]'

promise "environments may end like the beginning of a stage, and stages in one another"
run ci-docker-debian-bookworm-minimal-with-targets-pre
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal][--to][with-targets-pre]'
run ci-docker-debian-bookworm-minimal-with-targets
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal][--to][with-targets]'
run ci-docker-debian-bookworm-reconfigured
expect_calls '[build][--stop-at-failure][debian-bookworm-reconfigured]'
run ci-docker-debian-bookworm-with
expect_calls '[build][--stop-at-failure][debian-bookworm-with]'

promise "the other commands get their environment and stage"
run ci-docker-plan-debian-bookworm-minimal
expect_calls '[plan][debian-bookworm-minimal]'
run ci-docker-explain-debian-bookworm-minimal
expect_calls '[explain][debian-bookworm-minimal]'
run ci-docker-explain-debian-bookworm-minimal-configured
expect_calls '[explain][debian-bookworm-minimal][--to][configured]'
run ci-docker-shell-debian-bookworm-minimal
expect_calls '[shell][debian-bookworm-minimal]'
run ci-docker-shell-debian-bookworm-minimal-with-targets-pre
expect_calls '[shell][debian-bookworm-minimal][with-targets-pre]'
run ci-docker-clean-debian-bookworm-minimal
expect_calls '[clean][debian-bookworm-minimal]'

promise "a stage where only an environment has a meaning is an error, above all for clean"
run ci-docker-clean-debian-bookworm-minimal-configured
expect_calls ''
expect_status 2
expect_said 'make ci-docker-clean-debian-bookworm-minimal'

promise "systems and groups are names as any other, with a stage or without"
run ci-docker-debian-bookworm
expect_calls '[build][--stop-at-failure][debian-bookworm]'
run ci-docker-debian-bookworm-configured
expect_calls '[build][--stop-at-failure][debian-bookworm][--to][configured]'
run ci-docker-all-minimal
expect_calls '[build][--stop-at-failure][all-minimal]'
run -n ci-docker-all-minimal-with-targets-pre
expect_calls '[build][--dry-run][--stop-at-failure][all-minimal][--to][with-targets-pre]'
run ci-docker-explain-all-minimal-configured
expect_calls '[explain][all-minimal][--to][configured]'
run ci-docker-plan-debian-bookworm
expect_calls '[plan][debian-bookworm]'

promise "ci-docker-list prints what the tool says of the environments, as targets"
run ci-docker-list
[ "$(cat "$work/stdout")" = "$(cat "$notes/envs--by-system")" ] || broken "not what stagemake said"
[ "$(cat "$notes/asked")" = 'envs --by-system --prefix ci-docker-' ] || broken "asked: $(cat "$notes/asked")"

promise "a command without its environment says what is missing"
for command in plan explain shell clean; do
  run "ci-docker-$command"
  expect_status 2
  expect_calls ''
  expect_said "make ci-docker-$command-ENV"
done

promise "help names every target, fits 80 columns, and is what a bare ci-docker says"
run ci-docker-help
expect_status 0
for target in ENV ENV-STAGE SYSTEM all-PACKAGES list plan-ENV explain-ENV shell-ENV clean-ENV; do expect_said "make ci-docker-$target"; done
expect_said 'a dollar is $$ there'
awk 'length > 80 { exit 1 }' "$work/stdout" || broken "a line is too long"
cp "$work/stdout" "$work/help"
run ci-docker
cmp -s "$work/help" "$work/stdout" || broken "ci-docker is not ci-docker-help"

promise "stagemake's failure is make's, and its faults of a tree are shown"
echo 3 > "$notes/status"
run ci-docker-debian-bookworm-minimal
expect_status 2
expect_said '[ci-docker.mk:'
expect_said 'ci-docker-debian-bookworm-minimal] Error 3'
rm "$notes/status" "$notes/stages" "$notes/envs--by-system"
run ci-docker-debian-bookworm-minimal
expect_status 2
expect_calls ''
expect_said "stagemake: this is no distribution's tree"
run ci-docker-list
expect_status 2
expect_said "stagemake: this is no distribution's tree"
