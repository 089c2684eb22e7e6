import FoxgloveClient
import FoxgloveProtocol
import Glibc
import HostMetrics
import Presentation
import SysmonAgent
import Telemetry
import TelemetrySchema

/// `top` while it runs: keys, signals and messages change the model, and the model is drawn.
final class TopSession {
    private let terminal: Terminal
    private let server: ServerChoice?
    private let settings: HostSettings
    private let known = KnownMessages()
    private let signals = SignalQueue([SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP])
    private var model = TopModel()
    private var link: ServerLink?
    private var frames = FrameWriter(hasColor: Terminal.hasColor)
    private var drawnAt = Instant(nanoseconds: 0)
    private var mustDraw = true
    private var reconnectAt: Instant?
    /// A server that never greeted is rather a mistake than a loss.
    private var wasConnected = false
    private var isDone = false

    /// Between two frames, so that a fast channel does not fill the line.
    private static let framePeriod = Period.milliseconds(100)
    private static let reconnectPeriod = Period.seconds(1)
    private static let rateSuffix = ".rate_hertz"

    init(_ terminal: Terminal, _ server: ServerChoice?, _ settings: HostSettings) {
        self.terminal = terminal
        self.server = server
        self.settings = settings
    }

    /// Until a key or a signal ends it; the terminal is as before then.
    func run() throws(Failure) {
        try connect()
        defer {
            terminal.leave()
            link?.ask { $0.close() }
        }
        terminal.enter()
        while !isDone {
            let now = SystemClock.monotonic()
            if mustDraw, drawnAt + Self.framePeriod <= now { draw(now: now) }
            if let reconnectAt, reconnectAt <= now { reconnect(now: now) }
            let frameDeadline = mustDraw ? drawnAt + Self.framePeriod : nil
            let deadline = Instant.earliest(frameDeadline, .earliest(reconnectAt, link?.nextDeadline))
            let requests = [signals.pollRequest, terminal.pollRequest] + (link.map { [$0.pollRequest] } ?? [])
            let found = wait(for: requests, until: deadline)
            while let signal = signals.next() { take(signal) }
            if found[1] != 0 { takeKeys() }
            try listen()
        }
    }

    // MARK: The server

    private func connect() throws(Failure) {
        let link: ServerLink
        if let server {
            link = try server.connect()
        } else {
            let url: ServerURL
            do throws(ServerURL.Fault) { url = try ServerURL(parsing: "ws://localhost") } catch {
                throw Failure(text: error.text)
            }
            let name = Service.hostname()
            link = try ServerLink(adopting: try OwnAgent.start(on: settings, name: name), as: url)
        }
        link.ask { $0.want(TopModel.topics) }
        self.link = link
    }

    private func reconnect(now: Instant) {
        reconnectAt = nil
        do throws(Failure) { try connect() } catch { lose(error, now: now) }
    }

    private func lose(_ failure: Failure, now: Instant) {
        link = nil
        reconnectAt = now + Self.reconnectPeriod
        model.connectionFault = "no connection, trying again"
        model.notice = failure.text
        mustDraw = true
    }

    private func listen() throws(Failure) {
        guard let link else { return }
        link.proceed { event in take(event, link) }
        guard let failure = link.failure else { return }
        guard wasConnected, server != nil else { throw failure }
        lose(failure, now: SystemClock.monotonic())
    }

    private func take(_ event: ClientConnection.Event, _ link: ServerLink) {
        switch event {
        case .serverInfo(let name, _):
            wasConnected = true
            model.name = name
            model.connectionFault = nil
            model.notice = nil
            let names = TopModel.ratedTopics.map { $0 + Self.rateSuffix }
            link.ask { client in
                client.subscribeToParameters(names)
                client.getParameters(names)
            }
        case .message(let channel, _):
            guard let message = known.decode(link.client.payload, schemaName: channel.schemaName) else { return }
            model.take(message, of: channel.topic)
        case .unadvertised(let channels): for channel in channels { model.forget(channel.topic) }
        case .parameters(let parameters):
            for parameter in parameters where parameter.name.hasSuffix(Self.rateSuffix) {
                guard case .number(let hertz)? = parameter.value?.json else { continue }
                model.take(rate: hertz, of: String(parameter.name.dropLast(Self.rateSuffix.count)))
            }
        case .status(let status) where status.level == .error: model.take(refusal: status.message)
        case .status(let status): model.notice = status.message
        case .advertised, .ended: break
        }
        mustDraw = true
    }

    // MARK: The user

    private func takeKeys() {
        guard let keys = terminal.readKeys() else {
            isDone = true
            return
        }
        for key in keys {
            switch model.press(key) {
            case .quit: isDone = true
            case .setRates(let rates):
                let parameters = rates.map { Parameter(name: $0.topic + Self.rateSuffix, value: .float($0.hertz)) }
                link?.ask { $0.setParameters(parameters) }
            case nil: break
            }
            drawSoon()
        }
    }

    private func take(_ signal: Int32) {
        switch signal {
        case SIGWINCH:
            frames.forget()
            drawSoon()
        case SIGTSTP:
            terminal.leave()
            raise(SIGSTOP)
            terminal.enter()
            frames.forget()
            drawSoon()
        default: isDone = true
        }
    }

    // MARK: The screen

    /// Without waiting for the next frame's turn: a key is answered at once.
    private func drawSoon() {
        mustDraw = true
        drawnAt = Instant(nanoseconds: 0)
    }

    private func draw(now: Instant) {
        mustDraw = false
        drawnAt = now
        guard let size = Output.terminalSize else { return }
        let screen = Screen(model, columns: size.columns, rows: size.rows, isUnicode: Terminal.isUnicode)
        Output.write(frames.bytes(for: screen.lines, columns: size.columns))
    }
}
