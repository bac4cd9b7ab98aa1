"""What befalls one member: a port that somebody has, a disk that is full. The others go on, and it comes back
without anybody's help."""

import os
import socket
import subprocess
import threading

import pytest

from support import ports, wait
from support import zk_wire as zk
from support.ensembles import Ensemble

SIZE_MIB = 24


def listening(port):
    other = socket.create_server((ports.HOST, port))
    return other


def test_an_election_port_that_is_taken_is_tried_again_then_the_exit_code_is_14(tmp_path):
    ensemble = Ensemble(tmp_path, ["ours"] * 3, properties={"zookeeper.electionPortBindRetry": "2"})
    member = ensemble.members[1]
    with listening(ensemble.addresses[1][2]):
        member.launch()
        assert member.wait(20) == 14
    assert member.log().count("trying again") == 1
    assert "severe unrecoverable error" in member.log()


def test_an_election_port_that_becomes_free_is_taken(tmp_path):
    ensemble = Ensemble(tmp_path, ["ours"] * 3, properties={"zookeeper.electionPortBindRetry": "0"})
    try:
        with listening(ensemble.addresses[1][2]):
            ensemble.launch()
            wait.until(lambda: ensemble.members[1].log().count("trying again") >= 2, 20, "two tries")
        ensemble.serving()
    finally:
        ensemble.end()


def mount(directory):
    directory.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(directory)],
                          capture_output=True)
    return done.returncode == 0


@pytest.fixture
def small_disks(tmp_path):
    """A file system of a few MiB for each of three members."""
    directories = {n: tmp_path / f"disk{n}" for n in (1, 2, 3)}
    mounted = [each for each in directories.values() if mount(each)]
    yield directories if len(mounted) == len(directories) else None
    for each in mounted:
        subprocess.run(["umount", "-l", str(each)], check=False)


def fill(directory):
    """A file that leaves no byte."""
    path = directory / "ballast"
    with open(path, "wb") as ballast:
        try:
            while True:
                ballast.write(b"x" * 65536)
                ballast.flush()
        except OSError:
            pass
    return path


class Writes(threading.Thread):
    """Writes 4 KiB at one server until told to stop; remembers what was acknowledged."""

    def __init__(self, member, number):
        super().__init__(daemon=True)
        self.member, self.number = member, number
        self.done, self.ending = 0, threading.Event()

    def run(self):
        session, count = None, 0
        while not self.ending.is_set():
            try:
                session = session or zk.Session(self.member.port)
                if session.create(f"/w{self.number}-{count}", os.urandom(4096)) == 0:
                    self.done += 1
                count += 1
            except OSError:
                session = None
                self.ending.wait(0.02)


@pytest.mark.parametrize("role", ["leader", "follower"])
def test_a_member_whose_disk_is_full_leaves_and_comes_back(tmp_path, small_disks, role):
    if small_disks is None:
        pytest.skip("file systems cannot be mounted here")
    config = {"tickTime": 500, "preAllocSize": 1024}
    with Ensemble(tmp_path, ["ours"] * 3, config=config, data=small_disks) as ensemble:
        leader = ensemble.leader()
        full = leader if role == "leader" else next(n for n in ensemble.ids if n != leader)
        others = [n for n in ensemble.ids if n != full]
        writers = [Writes(ensemble.members[n], n) for n in others]
        for writer in writers:
            writer.start()
        wait.until(lambda: all(writer.done > 20 for writer in writers), 20, "writes")
        ballast = fill(small_disks[full])
        wait.until(lambda: "leaving the ensemble" in ensemble.members[full].log(), 20, "a full disk noticed")
        assert ensemble.mode(full) is None
        ensemble.serving(*others)
        before = [writer.done for writer in writers]
        wait.until(lambda: all(w.done > b + 20 for w, b in zip(writers, before)), 20, "writes without it")
        assert ensemble.members[full].running
        for writer in writers:
            writer.ending.set()
        ballast.unlink()
        ensemble.serving()
        assert "there is space on the disk again" in ensemble.members[full].log()
        ensemble.same_trees()
        session = zk.Session(ensemble.members[full].port)
        for writer in writers:
            writer.join(10)
        assert session.create("/after", b"1") == 0
        ensemble.members[full].kill()  # and its disk has it all
        ensemble.launch(full)
        ensemble.serving()
        ensemble.same_trees()
