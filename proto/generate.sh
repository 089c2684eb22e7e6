#!/bin/sh
# Regenerates everything that is derived from proto/: C sources, API notes, Swift conformances, descriptor sets, and
# docs/channels.md.
# The results are checked in. Needs protoc and protoc-c: deploy/setup-debian.sh --dev.
set -eu
cd "$(dirname "$0")/.."
c=Sources/CTelemetrySchema
swift=Sources/TelemetrySchema
timestamp=google/protobuf/timestamp.proto

# awk: what the comments tell users. First, since a missing one is to leave everything as it is.
awk -v introduction=proto/channels-introduction.md -v document=docs/channels.md \
    -v table="$swift/TopicDescriptions.swift" -f proto/channels.awk \
    Sources/HostMetrics/Collectors.swift Sources/HostMetrics/Collectors/*.swift \
    proto/sysmon/v1/*.proto proto/foxglove/*.proto

rm -rf "$c/sysmon" "$c/foxglove" "$c/google" "$c/include" "$swift/Descriptors" "$swift/Messages.swift"
mkdir -p "$c/include" "$swift/Descriptors"

# protoc-c: the struct and its pack function; headers go where the module map finds them.
(cd proto && protoc-c -I. -I/usr/include --c_out="../$c" sysmon/v1/*.proto foxglove/*.proto $timestamp)
(cd "$c" && for header in $(find sysmon foxglove google -name '*.h'); do
    mkdir -p "include/$(dirname "$header")"
    mv "$header" "include/$header"
done)
printf 'module CTelemetrySchema {\n    umbrella "."\n    export *\n}\n' > "$c/include/module.modulemap"

# protoc: what a client needs to decode a channel, one self-contained set per file.
for file in $(grep -l '  Header header = 1;' proto/sysmon/v1/*.proto) proto/foxglove/*.proto; do
    protoc -Iproto -I/usr/include --include_imports \
        --descriptor_set_out="$swift/Descriptors/$(basename "$file" .proto).binpb" "$file"
done

# awk: the C structs made to look like Swift.
headers=$(find "$c/include" -name '*.pb-c.h' | LC_ALL=C sort)
awk -f proto/apinotes.awk $headers > "$c/include/CTelemetrySchema.apinotes"
awk -f proto/messages.awk $headers > "$swift/Messages.swift"
