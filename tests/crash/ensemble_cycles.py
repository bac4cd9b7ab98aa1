"""Cycles of an ensemble of three tandem-coord: all killed at once, one of them killed while the others go on,
or the power of all three lost, each on a disk of its own. Sessions of every server create nodes; afterwards
every server must have them, and a session that was there before the cut must be there with its ephemeral."""

import shutil
import struct
import subprocess

import coord_cycles
import cycles
from support import wait, zk_wire
from support.ensembles import Ensemble

SERVERS = (1, 2, 3)
SYNC, GET_CHILDREN = 9, 8


class Disks:
    """One ext4 for each server, with the verbs of a single one."""

    def __init__(self, directory):
        self.of = {n: cycles.Ext4Image(directory, f"disk{n}") for n in SERVERS}

    def format(self):
        for disk in self.of.values():
            disk.format()

    def mount(self):
        for disk in self.of.values():
            disk.mount()

    def unmount(self):
        for disk in self.of.values():
            disk.unmount()

    def cut_power(self):
        for disk in self.of.values():
            disk.cut_power()


class Three:
    """An ensemble with the verbs of a single server: starting means those that are down."""

    def __init__(self, ensemble, chance):
        self.ensemble, self.random = ensemble, chance

    @property
    def port(self):
        return self.random.choice(list(self.ensemble.addresses.values()))[0]

    def running(self):
        return [n for n in SERVERS if self.ensemble.members[n].running]

    def launch(self):
        self.ensemble.launch(*[n for n in SERVERS if n not in self.running()])

    def start(self):
        if self.running() != list(SERVERS):
            self.launch()
        self.ensemble.serving(timeout=60)

    def kill(self):
        self.ensemble.end()

    def stop(self):
        for member in self.ensemble.members.values():
            member.stop()

    def log(self):
        return "\n".join(f"--- {n}\n{self.ensemble.members[n].log()[-2000:]}" for n in SERVERS)


def synced(port):
    """A session that sees whatever was committed before."""
    session = zk_wire.Session(port)
    assert session.ask(SYNC, zk_wire.buffer("/"))[0] == 0
    return session


def names(session):
    error, body = session.ask(GET_CHILDREN, zk_wire.watched("/"))
    assert error == 0
    count, at, found = struct.unpack_from(">i", body)[0], 4, set()
    for _ in range(count):
        size = struct.unpack_from(">i", body, at)[0]
        found.add(body[at + 4:at + 4 + size].decode())
        at += 4 + size
    return found


class Cycles(coord_cycles.Cycles):
    """All at once."""

    SECOND_CUT_MAX = 0.4  # seconds; loading, the election and the synchronization
    HOLD_MS = 600000

    def make_disk(self):
        return Disks(self.directory)

    def data_of(self, number):
        return (self.disk.of[number].mount_point if self.disk else self.directory) / self.NAME / str(number)

    def data(self):
        return self.directory / self.NAME

    def server(self):
        self.holder = None
        shutil.rmtree(self.directory / "servers", ignore_errors=True)
        config = {"snapCount": self.random.choice([500, 4000, 100000]), "maxSessionTimeout": self.HOLD_MS}
        data = {n: self.data_of(n) for n in SERVERS}
        ensemble = Ensemble(self.directory / "servers", ["ours"] * 3, config=config, data=data)
        for path in data.values():
            subprocess.run(["sync", "-f", str(path)], check=True)  # what the operator wrote: myid
        return Three(ensemble, self.random)

    def writers(self, server):
        return [coord_cycles.Creator(server.ensemble.addresses[n][0], f"c{self.number}-{n}-{i}")
                for n in SERVERS for i in range(2)]

    def missing(self, server):
        """Every server has the names; one of them is asked for the contents as well."""
        lost = set()
        for port, _, _ in server.ensemble.addresses.values():
            session = synced(port)
            found = names(session)
            lost |= {path for path in self.expected if path[1:] not in found}
            session.close()
        return sorted(lost) or super().missing(server)


class OneDies(Cycles):
    """One of them, whatever its role; the others serve on."""

    def cut(self, server, writers=()):
        self.ensemble = server.ensemble
        self.ensemble.members[self.random.choice(SERVERS)].kill()

    def free(self):
        """The two that are left take a write, whoever led."""
        members = self.ensemble.members
        alive = [n for n in SERVERS if members[n].running]
        if len(alive) < 2:
            return

        def written():
            session = zk_wire.Session(members[self.random.choice(alive)].port, timeout_ms=4000)
            error = session.create(f"/meanwhile-{self.number}-{self.random.random()}")
            session.ask(zk_wire.CLOSE, b"")
            return error == 0

        wait.until(written, 30, f"a write at the servers {alive} that are left")
