"""Brokers that are only a registration and a listener: they note what a controller tells them, agree with
all of it, and ask it for a controlled shutdown.

LeaderAndIsr 7, StopReplica 4, UpdateMetadata 8 and ControlledShutdown 3, all flexible, by hand.
"""

import json
import socket
import struct
import threading
from collections import namedtuple

from support import ports

LEADER_AND_ISR, STOP_REPLICA, UPDATE_METADATA, CONTROLLED_SHUTDOWN = 4, 5, 6, 7
VERSIONS = {LEADER_AND_ISR: 7, STOP_REPLICA: 4, UPDATE_METADATA: 8}
Shutdown = namedtuple("Shutdown", "error remaining")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def size(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def text(self):
        return self.bytes(max(0, self.size() - 1)).decode()

    def list(self, item):
        return [item() for _ in range(max(0, self.size() - 1))]

    def ids(self):
        return ",".join(map(str, self.list(lambda: self.number("i"))))

    def tags(self):
        for _ in range(self.size()):
            self.size()
            self.bytes(self.size())


def leader_of(reader):
    """Of LeaderAndIsr and UpdateMetadata what both begin with."""
    number, epoch, leader, leader_epoch = (reader.number("i") for _ in range(4))
    isr, version = reader.ids(), reader.number("i")
    return number, f"leader {leader} epoch {leader_epoch} isr {isr} version {version} of {epoch}, " \
                   f"on {reader.ids()}"


def leader_and_isr(reader):
    def partition():
        number, said = leader_of(reader)
        adding, removing, new, recovery = reader.ids(), reader.ids(), reader.number("?"), reader.number("b")
        reader.tags()
        return number, f"{said} adding [{adding}] removing [{removing}] new {new} recovery {recovery}"

    reader.number("b")  # the request's type
    topics = topics_of(reader, partition, ids=True)
    leaders = sorted(reader.list(lambda: (reader.number("i"), reader.text(), reader.number("i"),
                                          reader.tags())[0]))
    return f"LeaderAndIsr {topics}, live leaders {leaders}"


def update_metadata(reader):
    def partition():
        number, said = leader_of(reader)
        offline = reader.ids()
        reader.tags()
        return number, f"{said} offline [{offline}]"

    def broker():
        number = reader.number("i")
        reader.list(lambda: (reader.number("i"), reader.text(), reader.text(), reader.number("h"),
                             reader.tags()))
        reader.text()  # rack
        reader.tags()
        return number

    topics = topics_of(reader, partition, ids=True)
    return f"UpdateMetadata {topics}, alive {sorted(reader.list(broker))}"


def stop_replica(reader):
    def partition():
        number, epoch, delete = reader.number("i"), reader.number("i"), reader.number("?")
        reader.tags()
        return number, f"epoch {epoch}" + " delete" * delete

    return f"StopReplica {topics_of(reader, partition, ids=False)}"


def topics_of(reader, partition, ids):
    def topic():
        name = reader.text()
        if ids:
            reader.bytes(16)
        partitions = reader.list(partition)
        reader.tags()
        return [f"{name}-{number}({said})" for number, said in partitions]

    return " ".join(sorted(sum(reader.list(topic), [])))


READERS = {LEADER_AND_ISR: leader_and_isr, STOP_REPLICA: stop_replica, UPDATE_METADATA: update_metadata}


class Listener:
    """Broker `number`, registered by the kazoo client `tree`. `heard`: what it was told, in order."""

    def __init__(self, tree, number):
        self.tree, self.number, self.heard = tree, number, []
        self.path = f"/brokers/ids/{number}"
        self.server = socket.create_server((ports.HOST, 0))
        self.links, self.ended, self.registered = [], False, threading.Event()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        port = self.server.getsockname()[1]
        tree.create(self.path, json.dumps({
            "features": {}, "listener_security_protocol_map": {"PLAINTEXT": "PLAINTEXT"},
            "endpoints": [f"PLAINTEXT://{ports.HOST}:{port}"], "jmx_port": -1, "port": port,
            "host": ports.HOST, "version": 5, "timestamp": "1"}).encode(), ephemeral=True)
        self.epoch = tree.exists(self.path).czxid
        self.registered.set()

    def accept(self):
        while True:
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        with link, link.makefile("rb") as stream:
            try:
                while len(head := stream.read(4)) == 4:
                    answer = self.answer(Reader(stream.read(struct.unpack(">i", head)[0])))
                    if answer is None:
                        return
                    link.sendall(struct.pack(">i", len(answer)) + answer)
            except OSError:
                return

    def answer(self, reader):
        """None to what only a client asks."""
        api, version, correlation = reader.number("h"), reader.number("h"), reader.number("i")
        if api not in VERSIONS:
            return None
        assert VERSIONS[api] == version, f"API {api} in version {version}"
        reader.bytes(max(0, reader.number("h")))  # the client's id
        reader.tags()
        reader.number("i")  # the controller
        reader.number("?")  # with KRaft
        reader.number("i")  # its epoch
        assert self.registered.wait(20) and reader.number("q") == self.epoch
        self.heard.append(READERS[api](reader))
        no_errors = b"" if api == UPDATE_METADATA else b"\1"
        return struct.pack(">ibh", correlation, 0, 0) + no_errors + b"\0"

    def shut_down(self, controller_port):
        """Asks for it, and gives the answer."""
        with socket.create_connection((ports.HOST, controller_port), 20) as link:
            body = struct.pack(">hhihb", CONTROLLED_SHUTDOWN, 3, 1, -1, 0) \
                + struct.pack(">iqb", self.number, self.epoch, 0)
            link.sendall(struct.pack(">i", len(body)) + body)
            stream = link.makefile("rb")
            reader = Reader(stream.read(struct.unpack(">i", stream.read(4))[0]))
        reader.number("i")
        reader.tags()
        return Shutdown(reader.number("h"), reader.list(
            lambda: (reader.text(), reader.number("i"), reader.tags())[:2]))

    def leave(self):
        """Its registration and its listener go, as those of a process that ends."""
        if not self.ended:
            self.ended = True
            self.server.close()
            self.tree.delete(self.path)
            for link in self.links:
                link.close()
