"""Kafka's protocol by hand, as much as tests need to see single answers: Produce 7, Fetch 11, Metadata 8,
InitProducerId 0.

A record's batch is written here byte by byte, so that nothing of ours checks itself.
"""

import socket
import struct

PRODUCE, FETCH, METADATA, INIT_PRODUCER_ID = 0, 1, 3, 22
POLYNOMIAL = 0x82F63B78


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def zigzag(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def unzigzag(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def batch(values, timestamp=1_700_000_000_000, producer_id=-1, epoch=-1, sequence=-1):
    """One v2 batch of records without keys: a value, or a list of them."""
    values = values if isinstance(values, list) else [values]
    body = b""
    for delta, value in enumerate(values):
        record = b"\0" + zigzag(0) + zigzag(delta) + zigzag(-1) + zigzag(len(value)) + value + zigzag(0)
        body += zigzag(len(record)) + record
    summed = struct.pack(">hiqqqhii", 0, len(values) - 1, timestamp, timestamp, producer_id, epoch, sequence,
                         len(values)) + body
    return struct.pack(">qiibI", 0, len(summed) + 9, -1, 2, crc32c(summed)) + summed


def records(data):
    """(offset, value) of every record in uncompressed v2 batches; CRCs are checked."""
    at = 0
    while at + 61 <= len(data):
        base, size = struct.unpack_from(">qi", data, at)
        end = at + 12 + size
        if end > len(data):
            return
        crc, = struct.unpack_from(">I", data, at + 17)
        assert crc == crc32c(data[at + 21:end]), f"the batch at offset {base} has a wrong CRC"
        count, = struct.unpack_from(">i", data, at + 57)
        position = at + 61
        for _ in range(count):
            length, position = unzigzag(data, position)
            stop = position + length
            _, position = unzigzag(data, position + 1)
            delta, position = unzigzag(data, position)
            key, position = unzigzag(data, position)
            size, position = unzigzag(data, position + max(key, 0))
            yield base + delta, data[position:position + size]
            position = stop
        at = end


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Link:
    """One connection; requests may be sent ahead, answers come in their order."""

    def __init__(self, port, timeout=20.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next_id = 0

    def close(self):
        self.socket.close()

    def send(self, api, version, body):
        self.next_id += 1
        head = struct.pack(">hhi", api, version, self.next_id) + text("test")
        self.socket.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        return self.next_id

    def take(self, count):
        out = bytearray()
        while len(out) < count:
            part = self.socket.recv(count - len(out))
            if not part:
                raise ConnectionError("the broker closed the connection")
            out += part
        return bytes(out)

    def receive(self):
        size, = struct.unpack(">i", self.take(4))
        frame = self.take(size)
        return struct.unpack_from(">i", frame)[0], frame[4:]

    def send_produce(self, topic, partition, data, acks=1):
        body = struct.pack(">hhii", -1, acks, 10000, 1) + text(topic)
        body += struct.pack(">iii", 1, partition, len(data))
        return self.send(PRODUCE, 7, body + data)

    def receive_produce(self):
        """(error, base offset) of the next answer."""
        _, body = self.receive()
        name, = struct.unpack_from(">h", body, 4)
        _, _, error, base = struct.unpack_from(">iihq", body, 4 + 2 + name)
        return error, base

    def produce(self, topic, partition, data, acks=1):
        self.send_produce(topic, partition, data, acks)
        return self.receive_produce()

    def init_producer_id(self):
        """(producer id, epoch) of a new idempotent producer."""
        self.send(INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 60000))
        _, body = self.receive()
        error, producer_id, epoch = struct.unpack_from(">hqh", body, 4)
        assert error == 0, f"InitProducerId gives error {error}"
        return producer_id, epoch

    def fetch(self, topic, partition, offset, size=1 << 20):
        """(error, high watermark, record bytes)."""
        body = struct.pack(">iiiibii", -1, 0, 0, size, 0, 0, -1) + struct.pack(">i", 1) + text(topic)
        body += struct.pack(">iiiqqi", 1, partition, -1, offset, -1, size) + struct.pack(">i", 0) + text("")
        self.send(FETCH, 11, body)
        _, body = self.receive()
        name, = struct.unpack_from(">h", body, 14)
        at = 14 + 2 + name + 4
        _, error, watermark, _, _, aborted = struct.unpack_from(">ihqqqi", body, at)
        at += 34 + max(aborted, 0) * 16 + 4
        length, = struct.unpack_from(">i", body, at)
        return error, watermark, body[at + 4:at + 4 + length]

    def read_all(self, topic, partition):
        out = {}
        offset = 0
        while True:
            error, watermark, data = self.fetch(topic, partition, offset)
            assert error == 0, f"fetch of {topic}-{partition} at {offset} gives error {error}"
            got = list(records(data))
            out.update(got)
            if not got or offset >= watermark:
                return out
            offset = got[-1][0] + 1

    def leaders(self, topic):
        """{partition: error}; asking makes the topic where the broker makes topics on demand."""
        self.send(METADATA, 8, struct.pack(">i", 1) + text(topic) + struct.pack(">bbb", 1, 0, 0))
        _, body = self.receive()
        brokers, = struct.unpack_from(">i", body, 4)
        at = 8
        for _ in range(brokers):
            at += 4
            at += 2 + struct.unpack_from(">h", body, at)[0] + 4
            at += 2 + max(struct.unpack_from(">h", body, at)[0], 0)
        at += 2 + max(struct.unpack_from(">h", body, at)[0], 0) + 4 + 4
        error, name = struct.unpack_from(">hh", body, at)
        at += 4 + name + 1
        count, = struct.unpack_from(">i", body, at)
        at += 4
        out = {}
        for _ in range(count if error == 0 else 0):
            error, partition, leader, _ = struct.unpack_from(">hiii", body, at)
            out[partition] = error if leader >= 0 else 5
            at += 14
            for _ in range(3):
                at += 4 + 4 * struct.unpack_from(">i", body, at)[0]
        return out
