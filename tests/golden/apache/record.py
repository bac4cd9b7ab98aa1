#!/usr/bin/env python3
"""Records what three Apache servers say to each other on their election and learner ports, in order.

    record.py VERSION DIRECTORY TAPE      runs the ensemble in DIRECTORY and writes TAPE

Each server knows the other two by the ports of proxies. README.md says what the lines of a tape mean.
"""

import socket
import struct
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from peers import peers  # noqa: E402  (the path is set above)
from support import ports, txnlog, wait, zk_wire  # noqa: E402

SERVERS = (1, 2, 3)


class Tape:
    def __init__(self, path):
        self.file = open(path, "w")
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.connections = 0

    def put(self, text):
        with self.lock:
            self.file.write(f"{int((time.monotonic() - self.begun) * 1000)} {text}\n")
            self.file.flush()

    def number(self):
        with self.lock:
            self.connections += 1
            return self.connections


class Proxy:
    """`back`: the proxies by (opener, target), for the address in a handshake: who refuses the connection
    of a smaller number connects to that one itself, and shall come by here."""

    def __init__(self, tape, kind, opener, target, port, back):
        self.back = back
        self.tape, self.kind, self.opener, self.target, self.to = tape, kind, opener, target, port
        self.listener = socket.create_server((ports.HOST, 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection((ports.HOST, self.to), timeout=2)
            except OSError:
                self.tape.put(f"refused {self.kind} {self.opener} {self.target}")
                near.close()
                continue
            far.settimeout(None)
            number = self.tape.number()
            self.tape.put(f"open {number} {self.kind} {self.opener} {self.target}")
            for source, sink, way in ((near, far, ">"), (far, near, "<")):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(source, sink, number, way), daemon=True).start()

    def _greeting(self, part):
        version, sid, length = struct.unpack(">qqi", part[:20])
        address = f"{ports.HOST}:{self.back[self.target, self.opener].port}".encode()
        return struct.pack(">qqi", version, sid, len(address)) + address + part[20 + length:]

    def _pump(self, source, sink, number, way):
        greets = self.kind == "e" and way == ">"
        try:
            while part := source.recv(65536):
                if greets:
                    part, greets = self._greeting(part), False
                self.tape.put(f"{number} {way} {part.hex()}")
                sink.sendall(part)
        except OSError:
            pass
        self.tape.put(f"close {number} {way}")
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Run:
    def __init__(self, version, directory, tape):
        self.version, self.directory, self.tape = version, Path(directory), tape
        self.ports = {n: (ports.free_port(), ports.free_port()) for n in SERVERS}
        self.back = {"l": {}, "e": {}}
        self.servers = {n: self.make(n) for n in SERVERS}

    def make(self, number):
        directory = self.directory / f"server{number}"
        (directory / "data").mkdir(parents=True)
        (directory / "data" / "myid").write_text(str(number))
        config = {"tickTime": 500, "initLimit": 20, "syncLimit": 20, "preAllocSize": 16}
        for n, own in self.ports.items():
            shown = own if n == number else [self.proxy(kind, number, n, port)
                                             for kind, port in zip("le", own)]
            config[f"server.{n}"] = f"{ports.HOST}:{shown[0]}:{shown[1]}"
        return peers.ApacheZooKeeper(directory, config=config, version=self.version)

    def proxy(self, kind, opener, target, port):
        made = self.back[kind][opener, target] = Proxy(self.tape, kind, opener, target, port, self.back[kind])
        return made.port

    def case(self, name):
        self.tape.put(f"case {name}")

    def launch(self, number):
        data = self.directory / f"server{number}" / "data" / "version-2"
        epochs = [int((data / name).read_text()) if (data / name).exists() else 0
                  for name in ("acceptedEpoch", "currentEpoch")]
        last = 0
        for path in data.glob("*.*"):
            last = max(last, int(path.suffix[1:], 16) if path.name.startswith("snapshot.") else 0)
            if path.name.startswith("log."):
                last = max(last, txnlog.end_of(path.read_bytes())[1] or 0)
        self.tape.put(f"start {number} {epochs[0]} {epochs[1]} {last:x}")
        self.servers[number].launch()

    def kill(self, number):
        self.servers[number].kill()
        self.tape.put(f"kill {number}")

    def ready(self, *numbers):
        for n in numbers:
            wait.until(self.servers[n].ready, 60, f"server {n}")

    def leader(self):
        for n, server in self.servers.items():
            try:
                if server.running and "Mode: leader" in server.word("srvr"):
                    return n
            except OSError:
                pass
        return None

    def write(self, number, count, prefix):
        link = zk_wire.Link(self.servers[number].port)
        for i in range(count):
            link.call("create", zk_wire.create(f"/{prefix}{i}", b"data"))


def play(run):
    run.case("the first start, one after the other")
    run.launch(1)
    wait.pause(1.5, "one alone")
    run.launch(2)
    run.ready(1, 2)
    run.write(1, 3, "a")
    run.case("one comes later")
    run.launch(3)
    run.ready(3)
    run.write(3, 2, "b")
    leader = wait.until(run.leader, 20, "a leader")
    low, high = (n for n in SERVERS if n != leader)
    run.case("one missed a transaction")
    run.kill(low)
    run.write(high, 1, "c")
    run.launch(low)
    run.ready(low)
    run.case("one has what nobody else has")
    run.kill(low)
    txnlog.append_lost_transactions(run.servers[low].directory)
    run.launch(low)
    run.ready(low)
    run.write(low, 1, "d")
    run.case("the leader dies and comes back")
    run.kill(leader)
    run.ready(low, high)
    run.write(low, 2, "e")
    run.launch(leader)
    run.ready(leader)
    run.write(leader, 1, "f")
    run.case("all die and start together")
    for n in SERVERS:
        run.kill(n)
    for n in SERVERS:
        run.launch(n)
    run.ready(*SERVERS)
    run.write(1, 1, "g")
    wait.pause(0.5, "the last acknowledgements")


def main(version, directory, path):
    tape = Tape(path)
    run = Run(version, directory, tape)
    try:
        play(run)
    finally:
        tape.put("end")
        for server in run.servers.values():
            if server.running:
                server.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
