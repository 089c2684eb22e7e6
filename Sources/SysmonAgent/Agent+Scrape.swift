internal import FoxgloveServer
internal import HostMetrics
package import Telemetry
internal import WebSocketProtocol

/// `/metrics`: one sample of every channel that has metrics, for whoever asks.
extension Agent {
    func answerScrape(_ request: ResourceRequest, now: Instant) {
        let format = ExpositionFormat(accept: request.head.values(of: "accept").joined(separator: ","))
        let timeout = request.head.values(of: "x-prometheus-scrape-timeout-seconds").first.flatMap { Double($0) }
        scrape(format, timeoutSeconds: timeout, now: now) { [server] exposition in
            server.answer(
                request,
                with: HTTPResponse(
                    200, "OK", fields: ["Vary: Accept"], contentType: exposition.contentType, body: exposition.body))
        }
    }

    /// Takes a sample of each channel that is enabled and has a source and metrics, and calls `answer` with them.
    ///
    /// That is within a second, or within most of `timeoutSeconds`; what did not come by then is left out and counted.
    /// It may be called before this returns. Samples of subscribers are neither used nor touched.
    package func scrape(
        _ format: ExpositionFormat, timeoutSeconds: Double? = nil, now: Instant,
        answer: @escaping (Exposition) -> Void
    ) {
        searchForScrape(now: now)
        if isScraperOutdated, scraper?.isCollecting != true {
            scraper = nil
            isScraperOutdated = false
        }
        let scraper = scraper ?? Scraper(sources.map(\.registration), on: host, watcher: watcher)
        self.scraper = scraper
        scraper.wait(format, timeoutSeconds: timeoutSeconds, now: now, answer: answer)
        if !scraper.isCollecting {
            fillReport(now: now)
            let topics = sources.indices.filter { sources[$0].isFound && configuration.channels[$0].isEnabled }
                .map { sources[$0].topic }
            scraper.collect(
                scraper.topics.intersection(topics), suspendedNanoseconds: suspendedNanoseconds(), report: host.agent,
                now: now)
        }
        scraper.proceed(now: now)
    }
}
