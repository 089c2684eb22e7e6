/// Every collector the agent knows, in the order of their channels. To add one, add its line.
package let allCollectors: [Registration] = [
    Registration(CPUUsageCollector.self),
    Registration(CPUCoresCollector.self),
    Registration(KernelActivityCollector.self),
    Registration(LoadCollector.self),
    Registration(MemoryCollector.self),
    Registration(NetworkCollector.self),
    Registration(SystemInfoCollector.self),
    Registration(UptimeCollector.self),
    Registration(AgentStatsCollector.self),
]
