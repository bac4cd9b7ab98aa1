"""Damage in the files of one server of an ensemble: a bit flipped, a range zeroed, the end cut off, in its
logs, its snapshots or its epoch files, while it is down.

The server must come back by itself and vote again, what clients read from it must be what they wrote, and
nothing acknowledged may be lost, also when the next leader needs this server's vote. Each key is written in
order, so that what it holds lies between the last acknowledged number and the last one sent.
"""

import os
import random
import time
from dataclasses import dataclass, field

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from support import ensembles, txnlog, wait

KEYS = 8
HEALED_SECONDS = 30
DRAWS_MAX = 100
METHODS = ("flip", "zero", "truncate")
TARGETS = ("last log", "any log", "last snapshot", "any snapshot", "all snapshots", "currentEpoch",
           "acceptedEpoch")


@dataclass
class Tally:
    injections: int = 0
    healed: int = 0
    set_aside: int = 0
    refused: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    lost: list = field(default_factory=list)
    acknowledged: int = 0
    slowest: float = 0.0

    def line(self):
        return (f"{self.injections} injections, {self.healed} healed by themselves ({self.set_aside} set "
                f"files aside), {len(self.refused)} not; wrong reads {len(self.wrong)}, lost "
                f"{len(self.lost)} of {self.acknowledged} acknowledged; slowest return {self.slowest:.1f} s")


class Injections:
    """`kinds`: of each server, as an ensemble takes them; only ours are damaged."""

    def __init__(self, directory, seed, progress=False, kinds=("ours",) * 3):
        self.random = random.Random(seed)
        self.progress = progress
        self.tally = Tally()
        self.sent = [0] * KEYS
        self.acknowledged = [0] * KEYS
        self.ensemble = ensembles.Ensemble(directory, kinds, config={"tickTime": 500, "snapCount": 60})
        self.ours = [n for n in self.ensemble.ids if kinds[n - 1] == "ours"]

    def files(self, number):
        return self.ensemble.data[number] / "version-2"

    def run(self, count):
        with self.ensemble:
            client = self.client(1, 2, 3)
            for key in range(KEYS):
                client.create(f"/k{key}", b"0")
            client.stop()
            while self.tally.injections < count and not (self.tally.wrong or self.tally.lost):
                self.inject_one()
                if self.progress and self.tally.injections % 20 == 0:
                    print(self.tally.line(), flush=True)
        return self.tally

    def client(self, *numbers):
        client = KazooClient(self.ensemble.hosts(*numbers), timeout=6, randomize_hosts=False)
        client.start(30)
        return client

    def write(self, *numbers, rounds):
        client = self.client(*numbers)
        try:
            for _ in range(rounds):
                results = []
                for key in range(KEYS):
                    self.sent[key] += 1
                    results.append(client.set_async(f"/k{key}", b"%d" % self.sent[key]))
                for key, result in enumerate(results):
                    result.get(20)
                    self.acknowledged[key] = self.sent[key]
                    self.tally.acknowledged += 1
        except KazooException:
            pass  # unknown: sent, not acknowledged
        finally:
            client.stop()
            client.close()

    def inject_one(self):
        victim = self.random.choice(self.ours)
        others = [n for n in self.ensemble.ids if n != victim]
        self.write(*self.ensemble.ids, rounds=self.random.randint(1, 12))
        self.ensemble.members[victim].kill()
        what = self.damage(victim)
        self.ensemble.serving(*others)
        if self.random.random() < 0.5:
            self.write(*others, rounds=self.random.randint(1, 12))
        self.tally.injections += 1
        begun, said = time.monotonic(), len(self.ensemble.members[victim].log())
        self.ensemble.members[victim].launch()
        if not self.comes_back(victim):
            server = self.ensemble.members[victim]
            self.tally.refused.append(f"{what}: {server.log().strip().splitlines()[-1:]}")
            return self.replace(victim)
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - begun)
        self.tally.healed += 1
        self.tally.set_aside += "damage found" in self.ensemble.members[victim].log()[said:]
        self.verify(victim, what)
        if self.random.random() < 0.3:
            self.depend_on(victim, others, what)

    def comes_back(self, victim):
        def healed():
            if not self.ensemble.members[victim].running:
                raise RuntimeError("ended")
            return self.ensemble.mode(victim) and not (self.files(victim) / "tandem.novote").exists()
        try:
            wait.until(healed, HEALED_SECONDS, "the damaged server's return", interval=0.05)
            return True
        except (RuntimeError, wait.Timeout):
            return False

    def replace(self, victim):
        """What an operator would do: an empty directory."""
        server = self.ensemble.members[victim]
        if server.running:
            server.kill()
        for path in self.files(victim).glob("*"):
            if path.is_file():
                path.unlink()
        self.ensemble.launch(victim)
        self.ensemble.serving()

    def verify(self, number, what):
        client = self.client(number)
        try:
            client.sync("/")
            for key in range(KEYS):
                value = int(client.get(f"/k{key}")[0])
                least, most = self.acknowledged[key], self.sent[key]
                if value < least:
                    self.tally.lost.append(f"{what}: /k{key} is {value}, {least} was acknowledged")
                if value > most:
                    self.tally.wrong.append(f"{what}: /k{key} is {value}, {most} was the last one sent")
            self.ensemble.same_trees()
        finally:
            client.stop()
            client.close()

    def depend_on(self, victim, others, what):
        """One of the others dies: the healed server's vote and data decide."""
        gone = self.random.choice(others)
        self.ensemble.members[gone].kill()
        self.ensemble.serving(*(n for n in self.ensemble.ids if n != gone))
        client = self.client(victim)
        try:
            client.sync("/")
            for key in range(KEYS):
                value = int(client.get(f"/k{key}")[0])
                if not self.acknowledged[key] <= value <= self.sent[key]:
                    self.tally.lost.append(f"{what}, then without server {gone}: /k{key} is {value}, "
                                           f"{self.acknowledged[key]} was acknowledged")
        finally:
            client.stop()
            client.close()
        self.ensemble.launch(gone)
        self.ensemble.serving()
        wait.until(lambda: not (self.files(gone) / "tandem.novote").exists(), HEALED_SECONDS, "its vote")

    # ---- the damage ---------------------------------------------------------------------------------------

    def damage(self, victim):
        """What changes no byte, where there is no such file or zeros lie already, is drawn again."""
        for _ in range(DRAWS_MAX):
            target = self.random.choice(TARGETS)
            method = self.random.choice(METHODS)
            spoiled = [path.name for path in self.paths(victim, target) if self.spoil(path, method)]
            if spoiled:
                number, names = self.tally.injections + 1, ", ".join(spoiled)
                return f"injection {number}: server {victim}, {method} in {target}: {names}"
        raise RuntimeError(f"server {victim} has nothing that {DRAWS_MAX} draws could damage")

    def paths(self, victim, target):
        directory = self.files(victim)
        if target.endswith("Epoch"):
            return [path for path in (directory / target,) if path.exists()]
        kind = "log." if "log" in target else "snapshot."
        found = [path for path in directory.glob(f"{kind}*") if path.suffix != ".tmp"]
        found.sort(key=lambda path: int(path.name[len(kind):], 16))
        if target.startswith("all"):
            return found
        return found[-1:] if target.startswith("last") else [self.random.choice(found)] if found else []

    def spoil(self, path, method):
        """As a medium does it: the time of the last change stays. Whether the file is another now."""
        stat = path.stat()
        before = path.read_bytes()
        content = bytearray(before)
        end = max(txnlog.end_of(content)[0], 1) if path.name.startswith("log.") else len(content)
        end = min(end, len(content))
        if end == 0:
            return False
        at = self.random.randrange(end)
        if method == "flip":
            content[at] ^= 1 << self.random.randrange(8)
        elif method == "zero":
            size = self.random.choice((1, 64, 512, 4096))
            at = at // size * size
            content[at:at + size] = bytes(len(content[at:at + size]))
        else:
            del content[at:]
        if content == before:
            return False
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        return True


def check(tally, seed):
    print(f"\nseed {seed}: {tally.line()}")
    assert not tally.wrong and not tally.lost, "\n".join(tally.wrong + tally.lost)
    assert len(tally.refused) <= tally.injections // 100, "\n".join(tally.refused)
