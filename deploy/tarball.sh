#!/bin/bash
# Makes .build/sysmon-agent-VERSION-linux-ARCH.tar.gz, for hosts without Debian's packages. The same sources, compiler
# and SOURCE_DATE_EPOCH (by default the time of the last commit) make the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/stage.sh
version=$(sed -n 's/.*agentVersion = "\(.*\)"/\1/p' Sources/SysmonAgent/Version.swift)
name=sysmon-agent-$version-linux-$(uname -m)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
tar --create --directory .build --transform "s,^stage,$name," --sort name --format ustar \
    --mtime "@$epoch" --owner 0 --group 0 --numeric-owner --mode u=rwX,go=rX stage |
    gzip -9 --no-name >".build/$name.tar.gz"
ls -l ".build/$name.tar.gz"
