import HostMetrics
import SysmonAgent
import Testing
import WebSocketProtocol

/// What the agent answers over plain HTTP, as docs/http.md says.
@Suite struct ResourceTests {
    private let world: AgentWorld
    init() throws { world = try AgentWorld() }

    @Test(arguments: [
        ("/", 200, "text/html; charset=utf-8"), ("/page.css", 200, "text/css; charset=utf-8"),
        ("/page.js", 200, "text/javascript; charset=utf-8"), ("/icon.svg", 200, "image/svg+xml; charset=utf-8"),
        ("/healthz", 200, "text/plain; charset=utf-8"), ("/metrics", 200, "text/plain; version=0.0.4; charset=utf-8"),
        ("/readyz", 200, "text/plain; charset=utf-8"), ("/layouts/cpu", 404, "text/plain; charset=utf-8"),
        ("/layouts/overview.json", 200, "application/json"), ("/layouts/sensors.json", 200, "application/json"),
        ("/layouts/none.json", 404, "text/plain; charset=utf-8"),
        ("/layouts/", 404, "text/plain; charset=utf-8"), ("/layouts/../healthz", 404, "text/plain; charset=utf-8"),
        ("/index.html", 404, "text/plain; charset=utf-8"), ("//", 404, "text/plain; charset=utf-8"),
    ])
    func everyPathHasItsAnswer(path: String, status: Int, contentType: String) {
        let reply = world.get(path)
        #expect(reply.status == status)
        #expect(reply.head.contains("\r\nContent-Type: \(contentType)\r\n"))
        #expect(!reply.body.isEmpty)
    }

    @Test func thePageIsHeldToItsOwnAddress() {
        for path in ["/", "/page.js", "/icon.svg"] {
            let head = world.get(path).head
            #expect(
                head.contains(
                    "\r\nContent-Security-Policy: default-src 'self'; connect-src 'self'; frame-ancestors 'none'\r\n"))
            #expect(head.contains("\r\nReferrer-Policy: no-referrer\r\n"))
            #expect(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
        }
    }

    /// Links relative to the page, so that a token in its path is in theirs; nothing that the policy forbids.
    @Test func thePageRefersToWhatThereIs() {
        var paths = ["page.js"]
        var seen: Set<String> = []
        for match in world.get("/").body.matches(of: /(?:href|src)="([^"]+)"/) { paths.append(String(match.1)) }
        while let path = paths.popLast() {
            guard seen.insert(path).inserted else { continue }
            let reply = world.get("/" + path)
            #expect(reply.status == 200, "\(path)")
            #expect(!path.hasPrefix("/") && !path.contains(":"))
            for match in reply.body.matches(of: /from "\.\/([^"]+)"/) { paths.append(String(match.1)) }
        }
        #expect(seen.isSuperset(of: ["page.css", "page.js", "protobuf.js", "icon.svg"]))
        #expect(world.get("/").body.firstMatch(of: /<style|style="|<script>|\son[a-z]+="/) == nil)
    }

    @Test func noPartOfThePageWritesMarkup() {
        for path in ["/page.js", "/cards.js", "/chart.js", "/connection.js", "/protobuf.js", "/format.js"] {
            let script = world.get(path).body
            #expect(!script.isEmpty)
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                #expect(!script.contains(word), "\(path): \(word)")
            }
        }
    }

    @Test func unknownPathsAreToldWhatThereIs() {
        let reply = world.get("/metric")
        #expect(reply.status == 404)
        #expect(
            reply.body == "There is nothing here, only /, /healthz, /metrics, /readyz and /layouts/overview.json, "
                + "/layouts/cpu.json, /layouts/network.json, /layouts/sensors.json.\n")
    }

    @Test func theIconThatBrowsersAskForIsNone() {
        let reply = world.get("/favicon.ico")
        #expect(reply.status == 204 && reply.body == "")
    }

    @Test func healthIsTwoLetters() { #expect(world.get("/healthz").body == "ok\n") }

    @Test func theOneWhoScrapesChoosesTheFormat() {
        let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
        let reply = world.exchange(head + "Accept: application/openmetrics-text; version=1.0.0\r\n\r\n")
        #expect(
            reply.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"))
        #expect(reply.contains("\r\nVary: Accept\r\n"))
        #expect(reply.hasSuffix("\n# EOF\n"))
        #expect(world.get("/metrics").body.contains("\nnode_load1 0.5\n"))
    }

    @Test(arguments: ["", "0", "-1", "nan", "inf", "1e400", "-inf", "x", "0.4", "99999999999999999999"])
    func whateverTimeIsGivenThereIsAnAnswer(seconds: String) {
        let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
        let reply = world.exchange(head + "X-Prometheus-Scrape-Timeout-Seconds: \(seconds)\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func anAgentThatStopsIsNotReady() {
        #expect(world.get("/readyz").body == "ready\n")
        world.agent.close()
        let reply = world.get("/readyz")
        #expect(reply.status == 503 && reply.body == "stopping\n")
        #expect(world.get("/healthz").status == 200)
    }
}

extension AgentWorld {
    func get(_ path: String) -> (status: Int, head: String, body: String) {
        let reply = exchange("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let end = reply.firstRange(of: "\r\n\r\n")
        let head = end.map { String(reply[..<$0.lowerBound]) + "\r\n" } ?? ""
        return (
            Int(head.dropFirst(9).prefix(3)) ?? 0, head, end.map { String(reply[$0.upperBound...]) } ?? ""
        )
    }
}
