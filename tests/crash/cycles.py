"""Cycles of a crash and a recovery of a server under load, whatever the server.

A cycle starts a server, lets several writers write as fast as they are acknowledged, and cuts: kill -9, or
the power (the ext4 below the data directory is shut down by its ioctl, so that nothing that was not synced
survives). Then the server must start again by itself, and everything acknowledged must be there. What was
sent but not answered is unknown.

With the power gone nothing reaches a client any more, so what is acknowledged after the shutdown began is
unknown too. It has to be: a sync that is under way while ext4 is shut down may succeed although its
transaction was never committed (a bare program of four threads that append and sync finds this in one cut of
seven). A write that was sent when the disk was gone already, though, must never be acknowledged.
"""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import wait

ACKED_PER_SECOND_MIN = 100
IMAGE_MIB = 4096  # sparse; must not fill up however fast the machine writes
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
STOPPED_MAX = 4.0  # seconds


class NoLoopMounts(Exception):
    pass


class Ext4Image:
    """A small ext4 of its own, mounted from a file."""

    def __init__(self, directory, name="disk"):
        self.image = Path(directory) / f"{name}.img"
        self.mount_point = Path(directory) / name
        self.mount_point.mkdir(parents=True, exist_ok=True)
        self.mounted = False

    def format(self, mib=IMAGE_MIB):
        self.unmount()
        # Another file: the old one may be written to, and mounted again, as long as another mount namespace
        # has that disk.
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True, capture_output=True)
        self.mount()

    def mount(self):
        """A disk that was shut down lives on while another mount namespace has it (whoever unshared one while
        it was mounted): then this mounts the dead one again, and it takes another try."""
        def alive():
            command = ["mount", "-o", "loop", str(self.image), str(self.mount_point)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise NoLoopMounts(done.stderr.strip())
            self.mounted = True
            try:
                (self.mount_point / "probe").touch()
                (self.mount_point / "probe").unlink()
                return True
            except OSError:
                self.unmount()
                return False

        wait.until(alive, 20, "a mount of the disk that is not the one shut down", interval=0.2)

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


def loop_mounts_work(directory):
    try:
        image = Ext4Image(directory)
        image.format(mib=8)
        image.unmount()
        image.image.unlink()
        return True
    except (NoLoopMounts, OSError, subprocess.CalledProcessError):
        return False


def fill(path):
    """Takes what is free on the disk of `path`, to the last block."""
    with open(path, "ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1 << 9):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
        try:
            os.fsync(file.fileno())
        except OSError:
            pass


class Stops(threading.Thread):
    """Seconds for which this program did not run: somebody stopped it, or the machine starved it."""

    SPAN = 0.2

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds, self.ended = 0.0, threading.Event()

    def run(self):
        before = time.monotonic()
        while not self.ended.wait(self.SPAN):
            now = time.monotonic()
            self.seconds += max(now - before - 2 * self.SPAN, 0.0)
            before = now


@dataclass
class Tally:
    cycles: int = 0
    void: int = 0
    by_hand: int = 0  # starts that would have needed an operator
    attempted: int = 0
    acknowledged: int = 0
    unknown: int = 0
    lost: int = 0
    slowest_recovery: float = 0.0
    complaints: list = field(default_factory=list)

    def line(self):
        return (f"{self.cycles} cycles counted, {self.void} void, attempted {self.attempted}, "
                f"acknowledged {self.acknowledged}, unknown {self.unknown}, lost {self.lost}, "
                f"manual steps {self.by_hand}, slowest recovery {self.slowest_recovery:.2f} s")


class Writer(threading.Thread):
    """Keeps DEPTH writes in flight until its connection ends. A subclass has connect(), send(number), which
    gives what was sent, and receive(), which gives (whether acknowledged, what the answer said); answers come
    in the order of the writes."""

    DEPTH = 16
    weight = 1  # records in a write

    def __init__(self):
        super().__init__(daemon=True)
        self.sent = []
        self.answers = []  # of the first writes, one by one
        self.refused = []
        self.stopping = False
        self.counted = None  # acknowledged when the power went
        self.sent_before = None  # how many were sent when the disk was gone

    def run(self):
        try:
            self.connect()
            while not self.stopping and not self.refused:
                while len(self.sent) - len(self.answers) < self.DEPTH:
                    self.sent.append(None)
                    self.sent[-1] = self.send(len(self.sent) - 1)
                good, answer = self.receive()
                (self.answers if good else self.refused).append(answer)
        except OSError:
            pass

    def power_fails(self):
        self.counted = len(self.answers)

    def power_is_gone(self):
        self.sent_before = len(self.sent)

    def acknowledged(self):
        """(what was sent, what the answer said) of the writes that must survive."""
        return list(zip(self.sent, self.answers[:self.counted]))

    def acknowledged_without_a_disk(self):
        return max(len(self.answers) - self.sent_before, 0) if self.sent_before is not None else 0


class Cycles:
    """A subclass has: server(), a server with random settings; ready(server), called once it has started;
    writers(server); remember(writer), which notes what must survive; missing(server), what does not."""

    LIFE_MIN, LIFE_MAX = 0.3, 4.8  # seconds until the cut of a young directory
    SECOND_CUT_MAX = 0.1           # seconds into a recovery
    NAME = "data"

    def __init__(self, directory, seed, power, progress=False):
        self.progress = progress
        self.stops = Stops()
        self.directory = Path(directory)
        self.random = random.Random(seed)
        self.tally = Tally()
        self.disk = self.make_disk() if power else None
        self.expected = {}  # what the data directory must hold, from earlier cycles too
        self.age = None     # seconds of life of the data directory; None: there is none
        self.number = 0

    def make_disk(self):
        return Ext4Image(self.directory)

    def data(self):
        return (self.disk.mount_point if self.disk else self.directory) / self.NAME

    def run(self, count):
        """Until `count` cycles counted; half of them within the first five seconds of a directory's life."""
        self.stops.start()
        try:
            while self.tally.cycles < count and self.tally.void <= count and not self.tally.complaints:
                self.cycle(young=self.tally.cycles % 2 == 0)
                if self.progress and self.tally.cycles % 10 == 0:
                    print(self.tally.line(), flush=True)
        finally:
            self.stops.ended.set()
            self.finish()
            if self.disk:
                self.disk.unmount()
        if self.tally.cycles < count and not self.tally.complaints:
            self.complain(f"{self.tally.void} of them had fewer than {ACKED_PER_SECOND_MIN} acknowledged "
                          "writes a second: the machine is too busy to say anything")
        return self.tally

    def complain(self, text):
        self.tally.complaints.append(f"cycle {self.number}: {text}")

    # What a subclass may add.
    def finish(self):
        pass

    def free(self):
        """Awaits what has to happen before a dead server starts again."""

    def check(self, server):
        pass

    def fresh_directory(self):
        self.expected = {}
        self.age = 0.0
        if self.disk:
            self.disk.format()
        else:
            shutil.rmtree(self.data(), ignore_errors=True)

    def cycle(self, young):
        self.number += 1
        stopped = self.stops.seconds
        if young or self.age is None:
            self.fresh_directory()
            cut_after = self.random.uniform(self.LIFE_MIN, self.LIFE_MAX)
        else:
            # An old directory: whatever its process does, more than five seconds after its first start.
            cut_after = max(5.2 - self.age, 0) + self.random.uniform(0.3, 2.0)
        server = self.server()
        launched = time.monotonic()
        try:
            server.start()
            self.ready(server)
        except BaseException:
            server.kill()  # its disk is to be unmounted
            raise
        writers = self.writers(server)
        begun = time.monotonic()
        for writer in writers:
            writer.start()
        wait.pause(max(cut_after - (time.monotonic() - launched), 0.3), "the life before the cut")
        self.cut(server, writers)
        wrote = time.monotonic() - begun
        for writer in writers:
            writer.stopping = True
            writer.join(20)
        self.age += time.monotonic() - launched
        known = len(self.tally.complaints)
        try:
            self.judge(server, writers, wrote)
        except OSError as error:
            self.complain(f"not served while it was looked at: {error}\n{server.log()[-4000:]}")
        if len(self.tally.complaints) > known:
            server.kill()
            if self.stops.seconds - stopped > STOPPED_MAX and not self.tally.lost:
                # Timeouts ran out meanwhile, those of sessions among them: this cycle says nothing.
                self.tally.void += 1
                self.age = None
                del self.tally.complaints[known:]

    def cut(self, server, writers=()):
        if self.disk:
            for writer in writers:
                writer.power_fails()
            self.disk.cut_power()
            for writer in writers:
                writer.power_is_gone()
            wait.pause(0.03, "what the process does on a disk that is gone")
        server.kill()
        if self.disk:
            self.disk.unmount()
            self.disk.mount()

    def judge(self, server, writers, wrote):
        tally = self.tally
        for writer in writers:
            # On a disk that is gone writes are refused, and nothing but that is right.
            if writer.refused and not self.disk:
                self.complain(f"writes refused: {writer.refused[:3]}")
            if writer.acknowledged_without_a_disk():
                self.complain(f"{writer.acknowledged_without_a_disk()} writes acknowledged without a disk")
            self.remember(writer)
        if self.random.random() < 0.5:
            # A second crash, wherever the recovery from the first has come.
            self.free()
            server.launch()
            wait.pause(self.random.uniform(0, self.SECOND_CUT_MAX), "the recovery before the second cut")
            self.cut(server)
        self.free()
        begun = time.monotonic()
        try:
            server.start()
            self.ready(server)
        except (RuntimeError, wait.Timeout) as error:
            tally.by_hand += 1
            self.complain(f"no start after the cut: {error}\n{server.log()[-2000:]}")
            return
        tally.slowest_recovery = max(tally.slowest_recovery, time.monotonic() - begun)
        try:
            lost = self.missing(server)
            self.check(server)
        finally:
            server.kill() if self.random.random() < 0.5 else server.stop()
        self.free()
        if lost:
            tally.lost += len(lost)
            self.complain(f"lost {len(lost)} acknowledged writes, such as {lost[:3]}; log of the server:\n"
                          f"{server.log()[-2000:]}")
        sent = sum(len(writer.sent) * writer.weight for writer in writers)
        acked = sum(len(writer.acknowledged()) * writer.weight for writer in writers)
        if acked < ACKED_PER_SECOND_MIN * wrote:
            tally.void += 1
            return
        tally.cycles += 1
        tally.attempted += sent
        tally.acknowledged += acked
        tally.unknown += sent - acked


def count(default):
    """Cycles of a test in the gate; TANDEM_CRASH_CYCLES asks for another number."""
    return int(os.environ.get("TANDEM_CRASH_CYCLES", default))


def check(tally, kind, seed):
    print(f"\n{kind}, seed {seed}: {tally.line()}")
    assert not tally.complaints, "\n".join(tally.complaints)
    assert tally.lost == 0


def show(*kinds):
    """What the show scripts do: `SCRIPT [COUNT of each kind]... [SEED]`; a kind is (name, class, power,
    count)."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers and mounts go with this program
    numbers = [int(word) for word in sys.argv[1:]] + [*(kind[3] for kind in kinds), 1][len(sys.argv) - 1:]
    seed = numbers[-1]
    failed = False
    lines = []
    for (kind, make, power, _), number in zip(kinds, numbers):
        with tempfile.TemporaryDirectory(prefix="tandem-crash-") as directory:
            if power and not loop_mounts_work(directory):
                lines.append(f"{kind}: {number} cycles skipped, loop mounts are not allowed here")
                failed = failed or number > 0
                continue
            begun = time.monotonic()
            tally = make(directory, seed, power, progress=True).run(number)
        lines.append(f"{kind}, seed {seed}, {time.monotonic() - begun:.0f} s: {tally.line()}")
        lines += tally.complaints
        failed = failed or tally.lost > 0 or bool(tally.complaints)
    print("\n".join(lines))
    return 1 if failed else 0
