/// What a topic is about, for people. `TopicDescriptions.swift` has that of every topic.
package struct TopicDescription: Sendable {
    /// One sentence.
    package let summary: String
    /// Kernel files, calls, man pages.
    package let source: String
}
