#!/bin/bash
# Puts what an installation consists of into .build/stage, for deploy/deb/build.sh and deploy/tarball.sh: the program
# without need of Swift on its host, its units, and what the program itself writes: man pages, completions, a sample of
# its configuration.
set -euo pipefail
cd "$(dirname "$0")/.."

swift build -c release --static-swift-stdlib --product sysmon-agent
stage=.build/stage
rm -rf $stage
mkdir -p $stage/man $stage/completions
strip --strip-unneeded --remove-section=.comment -o $stage/sysmon-agent .build/release/sysmon-agent
cp -r deploy/sysmon-agent.service deploy/sysmon-agent.socket deploy/drop-ins deploy/layouts docs $stage
cp README.md CHANGELOG.md LICENSE $stage

$stage/sysmon-agent manual 8 >$stage/man/sysmon-agent.8
$stage/sysmon-agent manual 5 >$stage/man/sysmon-agent.config.5
$stage/sysmon-agent completion bash >$stage/completions/sysmon-agent
$stage/sysmon-agent completion zsh >$stage/completions/_sysmon-agent
$stage/sysmon-agent completion fish >$stage/completions/sysmon-agent.fish
$stage/sysmon-agent config default >$stage/config.json5
