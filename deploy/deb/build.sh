#!/bin/bash
# Makes .build/deb/sysmon-agent_VERSION_ARCH.deb. Needs what deploy/setup-debian.sh --dev installs. The same sources,
# compiler and SOURCE_DATE_EPOCH (by default the time of the last commit) make the same bytes. DEB_VERSION=1.2.3-1 makes
# a package of another version of the same program, to try an upgrade.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/stage.sh
version=$(sed -n 's/.*agentVersion = "\(.*\)"/\1/p' Sources/SysmonAgent/Version.swift)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
build=.build/deb/build
rm -rf $build
mkdir -p .build/deb
cp -r .build/stage $build
cp -r deploy/deb/debian $build
cp deploy/sysmon-agent.service deploy/sysmon-agent.socket $build/debian
cat >$build/debian/changelog <<TEXT
sysmon-agent (${DEB_VERSION:-$version-1}) unstable; urgency=medium

  * What has changed is told in /usr/share/doc/sysmon-agent/changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' deploy/deb/debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT
(cd $build && dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo >../build.log 2>&1) ||
    { cat .build/deb/build.log; exit 1; }
ls -l .build/deb/sysmon-agent_*.deb
