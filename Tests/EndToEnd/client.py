"""A Foxglove WebSocket client that knows nothing about the agent but what the agent tells it.

It offers subprotocols, keeps serverInfo and the advertised channels, builds message classes from nothing but the
advertised descriptor sets, subscribes, hands out decoded messages, publishes JSON and keeps the statuses.
"""

import asyncio
import base64
import dataclasses
import json
import struct
import time

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

WEBSOCKET_V1 = "foxglove.websocket.v1"
SDK_V1 = "foxglove.sdk.v1"

MESSAGE_DATA = 1  # Opcode of server messages, and of client messages too.
FETCH_ASSET_RESPONSE = 4


class ProtocolError(Exception):
    """The server broke the protocol."""


@dataclasses.dataclass
class Channel:
    """An advertised channel and the class of its messages."""

    id: int
    topic: str
    schema_name: str
    files: dict  # Serialized file descriptors by file name.
    message_class: type

    @classmethod
    def parse(cls, entry):
        for key, kind in (("id", int), ("topic", str), ("encoding", str), ("schemaName", str), ("schema", str)):
            if type(entry.get(key)) is not kind:
                raise ProtocolError(f"advertise: {key} of {entry.get('topic')} is {entry.get(key)!r}")
        if entry["encoding"] != "protobuf" or entry.get("schemaEncoding") != "protobuf":
            raise ProtocolError(f"{entry['topic']}: not protobuf")
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(entry["schema"], validate=True))
        pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:  # protoc puts imports first; Add() refuses a file whose imports are missing.
            pool.Add(file)
        message_class = message_factory.GetMessageClass(pool.FindMessageTypeByName(entry["schemaName"]))
        files = {file.name: file.SerializeToString(deterministic=True) for file in descriptors.file}
        return cls(entry["id"], entry["topic"], entry["schemaName"], files, message_class)


@dataclasses.dataclass
class Received:
    """One decoded message."""

    topic: str
    log_time: int  # Nanoseconds since the Unix epoch.
    message: object
    payload: bytes
    arrival: float  # time.monotonic()


class Client:
    """Use with `async with Client(url) as client:`."""

    def __init__(self, url, subprotocols=(SDK_V1, WEBSOCKET_V1), tls=None, connection=None):
        """`tls`: what is trusted, where the URL begins with wss; an ssl.SSLContext. `connection`: a socket to use."""
        self.url = url
        self.connection = connection
        self.tls = tls
        self.offered = list(subprotocols)
        self.subprotocol = None
        self.server_info = None
        self.channels = {}  # By topic.
        self.statuses = []
        self.removed_statuses = []  # Ids.
        self.parameters = {}  # Values by name.
        self.assets = {}  # Those that were fetched, by URI; None: there is no such asset.
        self.unadvertised = []  # Topics.
        self.subscribed_at = {}  # time.monotonic() by topic.
        self.close_code = None
        self._channels_by_id = {}
        self._topics = {}  # By subscription id.
        self._next_subscription = 0
        self._fetched = []  # URIs by request id.
        self._published = {}  # Client channel id by topic.
        self._inbox = asyncio.Queue()
        self._changed = asyncio.Condition()

    async def __aenter__(self):
        # No proxy: the environment's is for other hosts.
        self._socket = await connect(
            self.url, subprotocols=self.offered, compression=None, max_size=None, proxy=None, open_timeout=10,
            ssl=self.tls, sock=self.connection)
        self.subprotocol = self._socket.subprotocol
        first = await self._next_json()
        if first.get("op") != "serverInfo":
            raise ProtocolError(f"the first message is {first.get('op')}, not serverInfo")
        self.server_info = first
        second = await self._next_json()
        if second.get("op") != "advertise":
            raise ProtocolError(f"the second message is {second.get('op')}, not advertise")
        await self._handle(second)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        await self._socket.close()
        await self._reader

    # Receiving

    async def _next_json(self):
        frame = await asyncio.wait_for(self._socket.recv(), 5)
        if not isinstance(frame, str):
            raise ProtocolError("binary message before serverInfo and advertise")
        return json.loads(frame)

    async def _read(self):
        try:
            async for frame in self._socket:
                if isinstance(frame, str):
                    await self._handle(json.loads(frame))
                elif frame[0] == FETCH_ASSET_RESPONSE:
                    await self._receive_asset(frame)
                else:
                    self._receive(frame)
        except ConnectionClosed:
            pass
        except Exception as error:  # Handed to whoever waits for messages.
            self._inbox.put_nowait(error)
        self.close_code = self._socket.close_code
        self._inbox.put_nowait(None)
        async with self._changed:
            self._changed.notify_all()

    async def _handle(self, operation):
        name = operation["op"]
        if name == "advertise":
            for entry in operation["channels"]:
                channel = Channel.parse(entry)
                if channel.topic in self.channels or channel.id in self._channels_by_id:
                    raise ProtocolError(f"{channel.topic} (id {channel.id}) was advertised twice")
                self.channels[channel.topic] = channel
                self._channels_by_id[channel.id] = channel
        elif name == "unadvertise":
            for identifier in operation["channelIds"]:
                channel = self._channels_by_id.pop(identifier)
                del self.channels[channel.topic]
                self.unadvertised.append(channel.topic)
        elif name == "status":
            self.statuses.append(operation)
        elif name == "removeStatus":
            self.removed_statuses += operation["statusIds"]
        elif name == "parameterValues":
            self.parameters.update({entry["name"]: entry.get("value") for entry in operation["parameters"]})
        elif name == "serverInfo":
            self.server_info = operation
        async with self._changed:
            self._changed.notify_all()

    def _receive(self, frame):
        opcode, subscription, log_time = struct.unpack_from("<BIQ", frame)
        if opcode != MESSAGE_DATA:
            return
        topic, channel = self._topics[subscription]
        message = channel.message_class.FromString(frame[13:])
        self._inbox.put_nowait(Received(topic, log_time, message, frame[13:], time.monotonic()))

    async def _receive_asset(self, frame):
        _, request, status, error_length = struct.unpack_from("<BIBI", frame)
        self.assets[self._fetched[request]] = None if status else frame[10 + error_length:]
        async with self._changed:
            self._changed.notify_all()

    async def messages(self, seconds):
        """Yields what arrives in the next `seconds`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                item = await asyncio.wait_for(self._inbox.get(), left)
            except TimeoutError:
                return
            if isinstance(item, Exception):
                raise item
            if item is None:
                raise ProtocolError(f"the connection was closed with {self.close_code}")
            yield item

    async def collect(self, seconds):
        return [item async for item in self.messages(seconds)]

    async def wait(self, condition, seconds=1):
        """True as soon as `condition()` is, after a JSON message or the end of the connection; else False."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(condition), seconds)
                return True
            except TimeoutError:
                return False

    async def await_channels(self, *topics):
        """Waits for channels, since the agent looks at slow sources after it has begun to listen."""
        if not await self.wait(lambda: set(topics) <= set(self.channels), 5):
            raise ProtocolError(f"{set(topics) - set(self.channels)} are not offered")

    # Sending

    async def send_json(self, operation):
        await self._socket.send(json.dumps(operation))

    async def subscribe(self, *topics):
        subscriptions = []
        for topic in topics:
            channel = self.channels[topic]
            self._topics[self._next_subscription] = (topic, channel)
            subscriptions.append({"id": self._next_subscription, "channelId": channel.id})
            self._next_subscription += 1
        now = time.monotonic()
        self.subscribed_at.update({topic: now for topic in topics})
        await self.send_json({"op": "subscribe", "subscriptions": subscriptions})

    async def unsubscribe(self, *topics):
        ids = [identifier for identifier, (topic, _) in self._topics.items() if topic in topics]
        await self.send_json({"op": "unsubscribe", "subscriptionIds": ids})

    async def publish(self, payload, topic="/config", schema_name="sysmon.v1.Config"):
        """Publishes a value as JSON, or bytes as they are."""
        if topic not in self._published:
            identifier = len(self._published) + 1
            self._published[topic] = identifier
            channel = {"id": identifier, "topic": topic, "encoding": "json", "schemaName": schema_name}
            await self.send_json({"op": "advertise", "channels": [channel]})
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self._socket.send(struct.pack("<BI", MESSAGE_DATA, self._published[topic]) + body)

    async def fetch_asset(self, uri):
        """The bytes of an asset; None: there is none of this URI."""
        self.assets.pop(uri, None)
        await self.send_json({"op": "fetchAsset", "uri": uri, "requestId": len(self._fetched)})
        self._fetched.append(uri)
        if not await self.wait(lambda: uri in self.assets, 5):
            raise ProtocolError(f"no answer to the request for {uri}")
        return self.assets[uri]

    async def set_rates(self, **rates):
        """`set_rates(**{"/cpu": 20})`"""
        await self.publish({"channels": {topic: {"rate_hertz": rate} for topic, rate in rates.items()}})
