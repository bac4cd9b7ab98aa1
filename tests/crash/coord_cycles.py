"""Cycles of a crash and a recovery of tandem-coord under load.

A cycle starts a server, lets several sessions create nodes as fast as they are acknowledged, and cuts:
kill -9, or the power (the ext4 below the data directory is shut down by its ioctl, so that nothing that was
not synced survives). Then the server must start again by itself, and every acknowledged node must be there
with its data; so must the ephemeral node of a session, which is then taken up again. What was sent but not
answered is unknown.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import servers, wait, zk_wire

SESSIONS = 6
DEPTH = 24
ACKED_PER_SECOND_MIN = 100
IMAGE_MIB = 4096  # sparse; must not fill up however fast the machine writes
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


class NoLoopMounts(Exception):
    pass


@dataclass
class Tally:
    cycles: int = 0
    void: int = 0
    attempted: int = 0
    acknowledged: int = 0
    unknown: int = 0
    lost: int = 0
    slowest_recovery: float = 0.0
    complaints: list = field(default_factory=list)

    def line(self):
        return (f"{self.cycles} cycles counted, {self.void} void, attempted {self.attempted}, acknowledged "
                f"{self.acknowledged}, unknown {self.unknown}, lost {self.lost}, slowest recovery "
                f"{self.slowest_recovery:.2f} s")


class Writer(threading.Thread):
    """One session that keeps DEPTH creates in flight until its connection ends."""

    def __init__(self, port, prefix):
        super().__init__(daemon=True)
        self.port = port
        self.prefix = prefix
        self.sent = []
        self.acked = 0
        self.refused = []
        self.stopping = False

    def run(self):
        try:
            session = zk_wire.Session(self.port)
            self.write(session)
        except (OSError, ConnectionError):
            pass

    def write(self, session):
        while not self.stopping:
            while len(self.sent) - self.acked - len(self.refused) < DEPTH:
                path = f"/{self.prefix}-{len(self.sent)}"
                self.sent.append(path)
                session.send(zk_wire.CREATE, zk_wire.create(path, path.encode()))
            xid, _, error, _ = session.receive()
            if error == 0:
                self.acked = max(self.acked, xid)
            else:
                self.refused.append((xid, error))

    def acknowledged(self):
        # Replies come in order and a refusal fails the cycle, so the first `acked` paths are acknowledged.
        return self.sent[:self.acked]


class Ext4Image:
    """A small ext4 of its own, mounted from a file."""

    def __init__(self, directory):
        self.image = Path(directory) / "disk.img"
        self.mount_point = Path(directory) / "disk"
        self.mount_point.mkdir(parents=True, exist_ok=True)
        self.mounted = False

    def format(self, mib=IMAGE_MIB):
        self.unmount()
        with open(self.image, "wb") as file:
            file.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True, capture_output=True)
        self.mount()

    def mount(self):
        command = ["mount", "-o", "loop", str(self.image), str(self.mount_point)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise NoLoopMounts(done.stderr.strip())
        self.mounted = True

    def unmount(self):
        if not self.mounted:
            return

        def done():
            return subprocess.run(["umount", str(self.mount_point)], capture_output=True).returncode == 0

        wait.until(done, 20, "unmounting")
        self.mounted = False

    def cut_power(self):
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)


class Cycles:
    """`power` False: kill -9 on a plain directory."""

    def __init__(self, directory, seed, power, progress=False):
        self.progress = progress
        self.directory = Path(directory)
        self.random = random.Random(seed)
        self.power = power
        self.tally = Tally()
        self.disk = Ext4Image(directory) if power else None
        self.expected = {}  # what the data directory must hold from earlier cycles: path -> data
        self.age = None     # seconds of life of the data directory; None: there is none
        self.number = 0

    def run(self, count):
        """Until `count` cycles counted; half of them within the first five seconds of a directory's life."""
        try:
            while self.tally.cycles < count and self.tally.void <= count and not self.tally.complaints:
                self.cycle(young=self.tally.cycles % 2 == 0)
                if self.progress and self.tally.cycles % 10 == 0:
                    print(self.tally.line(), flush=True)
        finally:
            if self.disk:
                self.disk.unmount()
        if self.tally.cycles < count and not self.tally.complaints:
            self.tally.complaints.append(
                f"{self.tally.void} cycles had fewer than {ACKED_PER_SECOND_MIN} acknowledged "
                "writes a second: the machine is too busy to say anything")
        return self.tally

    def fresh_directory(self):
        self.expected = {}
        self.age = 0.0
        if self.disk:
            self.disk.format()
        else:
            shutil.rmtree(self.data(), ignore_errors=True)

    def data(self):
        return (self.disk.mount_point if self.disk else self.directory) / "coord-data"

    def server(self):
        # Few transactions between snapshots, so that cuts hit them too.
        config = {"dataDir": self.data(), "snapCount": self.random.choice([500, 4000, 100000])}
        return servers.Coord(self.directory / "server", config=config)

    def cycle(self, young):
        self.number += 1
        if young or self.age is None:
            self.fresh_directory()
            cut_after = self.random.uniform(0.3, 4.8)
        else:
            # An old directory: whatever its process does, more than five seconds after its first start.
            cut_after = max(5.2 - self.age, 0) + self.random.uniform(0.3, 2.0)
        server = self.server()
        launched = time.monotonic()
        server.start()
        holder = zk_wire.Session(server.port)
        own = f"/ephemeral-{self.number}"
        assert holder.create(own, b"mine", zk_wire.EPHEMERAL) == 0
        writers = [Writer(server.port, f"c{self.number}-{i}") for i in range(SESSIONS)]
        begun = time.monotonic()
        for writer in writers:
            writer.start()
        wait.pause(max(cut_after - (time.monotonic() - launched), 0.2), "the life before the cut")
        self.cut(server)
        wrote = time.monotonic() - begun
        for writer in writers:
            writer.stopping = True
            writer.join(20)
        self.age += time.monotonic() - launched
        self.judge(server, writers, holder, own, wrote)

    def cut(self, server):
        if self.disk:
            # The process lives on for a moment on a disk that is gone: what it acknowledges now counts too.
            self.disk.cut_power()
            wait.pause(0.03, "acknowledgements after the cut")
        server.kill()
        if self.disk:
            self.disk.unmount()
            self.disk.mount()

    def judge(self, server, writers, holder, own, wrote):
        tally = self.tally
        acked = sum(writer.acked for writer in writers)
        for writer in writers:
            if writer.refused:
                tally.complaints.append(f"cycle {self.number}: writes refused: {writer.refused[:3]}")
            for path in writer.acknowledged():
                self.expected[path] = path.encode()
        if self.random.random() < 0.5:
            # A second crash, wherever the recovery from the first has come.
            server.launch()
            wait.pause(self.random.uniform(0, 0.08), "the recovery before the second cut")
            self.cut(server)
        begun = time.monotonic()
        try:
            server.start()
        except RuntimeError as error:
            tally.complaints.append(f"cycle {self.number}: no start after the cut: {error}")
            return
        tally.slowest_recovery = max(tally.slowest_recovery, time.monotonic() - begun)
        try:
            lost = self.missing(server.port)
            again = zk_wire.Session(server.port, session=holder.id, password=holder.password)
            if again.id != holder.id or again.get(own) != b"mine":
                tally.complaints.append(f"cycle {self.number}: session or its ephemeral node did not survive")
            again.ask(zk_wire.CLOSE, b"")
        finally:
            server.kill() if self.random.random() < 0.5 else server.stop()
        if lost:
            tally.lost += len(lost)
            tally.complaints.append(f"cycle {self.number}: lost {len(lost)} acknowledged writes, such as "
                                    f"{lost[:3]}; log of the server:\n{server.log()[-2000:]}")
        if acked < ACKED_PER_SECOND_MIN * wrote:
            tally.void += 1
            return
        sent = sum(len(writer.sent) for writer in writers)
        tally.cycles += 1
        tally.attempted += sent
        tally.acknowledged += acked
        tally.unknown += sent - acked

    def missing(self, port):
        session = zk_wire.Session(port)
        paths = list(self.expected)
        lost = []
        for start in range(0, len(paths), 500):
            part = paths[start:start + 500]
            for path in part:
                session.send(zk_wire.GET_DATA, zk_wire.watched(path))
            for path in part:
                _, _, error, body = session.receive()
                size = struct.unpack_from(">i", body)[0] if error == 0 else -1
                if error != 0 or body[4:4 + size] != self.expected[path]:
                    lost.append(path)
        session.close()
        return lost


def loop_mounts_work(directory):
    try:
        image = Ext4Image(directory)
        image.format(mib=8)
        image.unmount()
        image.image.unlink()
        return True
    except (NoLoopMounts, OSError, subprocess.CalledProcessError):
        return False

