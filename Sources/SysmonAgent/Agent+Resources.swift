internal import FoxgloveServer
internal import Telemetry
internal import WebSocketProtocol

/// What the agent answers to plain HTTP requests on its port: docs/http.md.
extension Agent {
    static var httpFeatures: HTTPFeatures {
        var features = HTTPFeatures()
        features.openPaths = ["/healthz", "/readyz"]
        features.sharedPath = layoutFolder
        return features
    }

    private static let layoutFolder = "/layouts/"

    func answer(_ request: ResourceRequest, now: Instant) {
        if request.path == "/metrics" { return answerScrape(request, now: now) }
        if let layout = Layout.all.first(where: { Self.path(of: $0) == request.path }) {
            return make(layout, now: now) { [server] in server.answer(request, with: Self.json($0)) }
        }
        server.answer(request, with: response(to: request))
    }

    private func response(to request: ResourceRequest) -> HTTPResponse {
        switch request.path {
        case "/healthz": return HTTPResponse(200, "OK", text: "ok")
        case "/readyz": return readiness
        case "/favicon.ico": return .noContent
        case let path: return Self.page[path] ?? Self.notFound
        }
    }

    private var readiness: HTTPResponse {
        if isStopping { return HTTPResponse(503, "Service Unavailable", text: "stopping") }
        // A source that hangs keeps nobody from the others.
        guard sources.allSatisfy({ $0.wasSought || $0.isStuck }) else {
            return HTTPResponse(503, "Service Unavailable", text: "starting")
        }
        return HTTPResponse(200, "OK", text: "ready")
    }

    private static func json(_ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(200, "OK", contentType: "application/json", body: body)
    }

    private static func path(of layout: Layout) -> String { "\(layoutFolder)\(layout.name).json" }

    private static let notFound = HTTPResponse(
        404, "Not Found",
        text: "There is nothing here, only /, /healthz, /metrics, /readyz and "
            + Layout.all.map(path).joined(separator: ", ") + ".")

    /// The built-in page, by path.
    private static let page = [
        "/": pagePart("text/html", PackageResources.index_html),
        "/page.css": pagePart("text/css", PackageResources.page_css),
        "/page.js": pagePart("text/javascript", PackageResources.page_js),
        "/cards.js": pagePart("text/javascript", PackageResources.cards_js),
        "/chart.js": pagePart("text/javascript", PackageResources.chart_js),
        "/connection.js": pagePart("text/javascript", PackageResources.connection_js),
        "/format.js": pagePart("text/javascript", PackageResources.format_js),
        "/protobuf.js": pagePart("text/javascript", PackageResources.protobuf_js),
        "/icon.svg": pagePart("image/svg+xml", PackageResources.icon_svg),
    ]

    private static func pagePart(_ contentType: String, _ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(
            200, "OK",
            fields: [
                "Content-Security-Policy: default-src 'self'; connect-src 'self'; frame-ancestors 'none'",
                "Referrer-Policy: no-referrer",
            ], contentType: contentType + "; charset=utf-8", body: body)
    }
}
