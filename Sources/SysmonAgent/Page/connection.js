// The Foxglove WebSocket protocol, as much of it as a page needs that looks at channels and sets parameters.

import { Schema } from "./protobuf.js";

const SUBPROTOCOL = "foxglove.sdk.v1";
const MESSAGE_DATA = 1;
const MESSAGE_HEADER_BYTES = 13;
const RETRY_SECONDS = [1, 2, 3, 5];
// /system/uptime comes every second; a server that is silent for so long is gone, whatever the socket says.
const SILENCE_SECONDS = 10;

export class Connection {
  // `on` has functions: state(name, seconds), session(info), channels(), message(topic, message, bytes),
  // parameters(list), status(status), statusGone(ids).
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.channels = new Map();  // By topic.
    this.wanted = new Set();  // Topics.
    this.subscriptions = new Map();  // Channel by subscription id.
    this.parameterNames = [];
    this.isActive = true;
    this.failureCount = 0;
    this.lastSubscription = 0;
    this.#connect();
    setInterval(() => this.#lookForSilence(), 1000);
  }

  // What is not wanted is not sent, and what nobody wants is not sampled.
  want(topic, isWanted) {
    if (isWanted) this.wanted.add(topic); else this.wanted.delete(topic);
    this.#update();
  }

  setActive(isActive) {
    this.isActive = isActive;
    this.lastHeard = performance.now();
    this.#update();
    this.#tellState();
  }

  // Values of these are told at once and whenever they change.
  watchParameters(names) {
    this.parameterNames = names;
    this.#askForParameters();
  }

  setParameter(name, value) {
    this.#send({ op: "setParameters", id: name, parameters: [{ name, value, type: "float64" }] });
  }

  #connect() {
    this.on.state("connecting", 0);
    const socket = new WebSocket(this.url, [SUBPROTOCOL]);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    const ifPresent = (body) => (event) => { if (this.socket === socket) body(event); };
    socket.onmessage = ifPresent(({ data }) => {
      this.lastHeard = performance.now();
      if (typeof data === "string") this.#takeText(JSON.parse(data)); else this.#takeBinary(data);
    });
    socket.onopen = ifPresent(() => {
      this.failureCount = 0;
      this.lastHeard = performance.now();
      this.#tellState();
      this.#askForParameters();
    });
    socket.onclose = ifPresent(() => this.#retry());
  }

  #retry() {
    this.socket = null;
    this.channels.clear();
    this.subscriptions.clear();
    this.on.channels();
    const seconds = RETRY_SECONDS[Math.min(this.failureCount++, RETRY_SECONDS.length - 1)];
    this.on.state("lost", seconds);
    setTimeout(() => this.#connect(), seconds * 1000);
  }

  #lookForSilence() {
    if (!this.isOpen || this.subscriptions.size === 0) return;
    if (performance.now() - this.lastHeard < SILENCE_SECONDS * 1000) return;
    const { socket } = this;
    this.#retry();
    socket.close();
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  #tellState() { if (this.isOpen) this.on.state(this.isActive ? "live" : "paused", 0); }

  #send(operation) { if (this.isOpen) this.socket.send(JSON.stringify(operation)); }

  #askForParameters() {
    if (this.parameterNames.length === 0) return;
    this.#send({ op: "getParameters", id: "page", parameterNames: this.parameterNames });
    this.#send({ op: "subscribeParameterUpdates", parameterNames: this.parameterNames });
  }

  // Brings the subscriptions in line with what is wanted and there.
  #update() {
    const subscribed = new Set();
    const ended = [];
    for (const [id, channel] of this.subscriptions) {
      const isThere = this.channels.get(channel.topic) === channel;
      if (this.isActive && this.wanted.has(channel.topic) && isThere) {
        subscribed.add(channel.topic);
      } else {
        this.subscriptions.delete(id);
        // The server ended those of a channel that is gone.
        if (isThere) ended.push(id);
      }
    }
    if (ended.length > 0) this.#send({ op: "unsubscribe", subscriptionIds: ended });
    if (!this.isActive || !this.isOpen) return;
    const begun = [];
    for (const topic of this.wanted) {
      const channel = this.channels.get(topic);
      if (!channel || subscribed.has(topic)) continue;
      const id = ++this.lastSubscription;
      this.subscriptions.set(id, channel);
      begun.push({ id, channelId: channel.id });
    }
    if (begun.length > 0) this.#send({ op: "subscribe", subscriptions: begun });
  }

  #takeText(operation) {
    switch (operation.op) {
      case "serverInfo": return this.on.session(operation);
      case "advertise":
        for (const channel of operation.channels) this.channels.set(channel.topic, channel);
        break;
      case "unadvertise":
        for (const [topic, { id }] of this.channels) {
          if (operation.channelIds.includes(id)) this.channels.delete(topic);
        }
        break;
      case "parameterValues": return this.on.parameters(operation.parameters);
      case "status": return this.on.status(operation);
      case "removeStatus": return this.on.statusGone(operation.statusIds);
      default: return;
    }
    this.#update();
    this.on.channels();
  }

  #takeBinary(buffer) {
    const view = new DataView(buffer);
    if (view.getUint8(0) !== MESSAGE_DATA) return;
    const channel = this.subscriptions.get(view.getUint32(1, true));
    if (!channel) return;
    channel.decoder ??= new Schema(channel.schema);
    const message = channel.decoder.decode(channel.schemaName, new Uint8Array(buffer, MESSAGE_HEADER_BYTES));
    this.on.message(channel.topic, message);
  }
}
