#!/bin/sh
# Installs the Debian packages that sysmon-agent is built with: those that are missing and no others.
# A Swift toolchain is expected on PATH and is only looked at.
set -eu

usage() {
    cat <<'TEXT'
Usage: deploy/setup-debian.sh [--dev]

Installs what is needed to build sysmon-agent on Debian 12 or later.

  --dev    also what contributors and .ci/run need: protobuf compilers, Python, systemd-analyze, debhelper
  --help   this text
TEXT
}

die() {
    printf 'setup-debian.sh: %s\n' "$1" >&2
    exit 1
}

packages='libprotobuf-c-dev libsensors-dev libssl-dev libsystemd-dev pkg-config'
for option in "$@"; do
    case $option in
    --dev)
        # proto/generate.sh: protoc, protoc-c, and google/protobuf/timestamp.proto of libprotobuf-dev.
        packages="$packages protobuf-compiler protobuf-c-compiler libprotobuf-dev"
        # .ci/run: git for the drift check, Python for Tests/EndToEnd, systemd-analyze for the unit, certificates.
        packages="$packages git python3 python3-venv systemd openssl"
        # deploy/deb/build.sh, and what looks at its package.
        packages="$packages debhelper dpkg-dev lintian"
        # What Tests/EndToEnd/compare.py compares with: ps, free, vmstat; ip, ss, nstat.
        packages="$packages procps iproute2"
        ;;
    --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

{ command -v apt-get && command -v dpkg-query; } >/dev/null ||
    die 'apt-get not found: this is for Debian; elsewhere install libprotobuf-c, libsensors, libsystemd, OpenSSL 3 and
pkg-config'
command -v swift >/dev/null ||
    die 'swift not found on PATH: install Swift 6.2 or later from https://www.swift.org/install/'
answer=$(swift --version 2>&1) || die "$(command -v swift) does not run: $(printf '%s' "$answer" | head -n 1)"
version=$(printf '%s\n' "$answer" | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
[ -n "$version" ] || die "$(command -v swift) does not tell its version: install Swift 6.2 or later"
major=${version% *}
minor=${version#* }
[ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 2 ]; } ||
    die "Swift $major.$minor is too old: install Swift 6.2 or later from https://www.swift.org/install/"

# shellcheck disable=SC2086 # a list of words
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $packages 2>/dev/null || true)"
missing=
for package in $packages; do
    case $installed in
    *" installed:$package "*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "setup-debian.sh: nothing to do, installed already: $packages"
    exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "run as root, or install sudo, to install:$missing"
    as_root=sudo
fi
echo "setup-debian.sh: installing$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
