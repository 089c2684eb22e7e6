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

written() {  # FILE COMMAND..., which not every version of the program has
    local file=$1
    if ! $stage/sysmon-agent "${@:2}" >"$stage/$file" 2>/dev/null; then
        rm "$stage/$file"
        echo "stage.sh: left out: sysmon-agent ${*:2}" >&2
    fi
}
written man/sysmon-agent.8 manual 8
written man/sysmon-agent.config.5 manual 5
written completions/sysmon-agent completion bash
written completions/_sysmon-agent completion zsh
written completions/sysmon-agent.fish completion fish
written config.json5 config default
[ -e $stage/config.json5 ] || cp deploy/config.json5 $stage
