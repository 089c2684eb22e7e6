/// Version of the agent, as released (semver.org).
package let agentVersion = "0.1.0"
