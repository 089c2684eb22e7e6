/// Version of the agent, as released (semver.org).
package let agentVersion = "0.1.0"

/// Of this version, for the manual.
package let agentDate = "2026-11-20"
