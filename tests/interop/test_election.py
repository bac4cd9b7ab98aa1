"""Elections of our core over its real connections, together with Apache's servers: who leads."""

import re
import subprocess

import pytest

from peers import peers
from support import ports, servers, wait


def free_pair():
    first = ports.free_port()
    second = ports.free_port()
    while second == first:
        second = ports.free_port()
    return first, second


class Member:
    """tests/interop/election_member, which only votes."""

    def __init__(self, directory, number, text, zxid=0, epoch=0):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "ensemble").write_text(text)
        self.output = directory / "output"
        binary = servers.build_directory() / "tests/interop/election_member/election_member"
        with open(self.output, "wb") as output, open(directory / "log", "wb") as log:
            command = [binary, str(number), hex(zxid), str(epoch), directory / "ensemble"]
            self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=log)

    def decision(self):
        found = re.findall(r"^decide (\w+) leader=(-?\d+) .*$", self.output.read_text(), re.MULTILINE)
        return (found[-1][0], int(found[-1][1])) if found else None

    def stop(self):
        self.child.stdin.close()
        self.child.wait(timeout=10)


@pytest.fixture
def ensemble(tmp_path):
    """make(roles): the server lines of an ensemble; apache(n) and member(n) start one of either kind."""
    made = Ensemble(tmp_path)
    yield made
    made.stop()


class Ensemble:
    def __init__(self, directory):
        self.directory = directory
        self.lines = {}
        self.started = []

    def plan(self, roles):
        for number, role in roles.items():
            learner, election = free_pair()
            self.lines[number] = f"127.0.0.1:{learner}:{election}:{role}"

    def text(self):
        return "".join(f"server.{n}={line}\n" for n, line in self.lines.items()) + "version=0"

    def apache(self, number, **config):
        directory = self.directory / f"apache{number}"
        values = {"tickTime": 500, **{f"server.{n}": line for n, line in self.lines.items()}, **config}
        server = peers.ApacheZooKeeper(directory, config=values)
        (directory / "data" / "myid").write_text(f"{number}\n")
        self.started.append(server)
        return server.launch()

    def member(self, number, **state):
        member = Member(self.directory / f"member{number}", number, self.text(), **state)
        self.started.append(member)
        return member

    def stop(self):
        for one in reversed(self.started):
            one.stop()


def decides(member, expected, timeout=60):
    wait.until(lambda: member.decision() == expected, timeout, f"{expected}, not {member.decision()}")


def test_late_member_joins_the_leader_of_two_apache_servers(ensemble):
    ensemble.plan({1: "participant", 2: "participant", 3: "participant"})
    servers_of_apache = [ensemble.apache(1), ensemble.apache(2)]
    wait.until(lambda: all("Mode: " in mode(s) for s in servers_of_apache), 60, "a leader of the two")
    decides(ensemble.member(3), ("FOLLOWING", 2))


def test_member_with_the_longest_log_is_elected_by_apache_servers(ensemble):
    ensemble.plan({1: "participant", 2: "participant", 3: "participant"})
    member = ensemble.member(1, zxid=0x900000005, epoch=9)
    voters = [ensemble.apache(2), ensemble.apache(3)]
    decides(member, ("LEADING", 1))
    for voter in voters:
        wait.until(lambda: re.search(r"FOLLOWING - LEADER ELECTION TOOK", voter.log()), 60, "their vote")
        assert re.search(r"n.sid:1, n.state:\w+, n.leader:1, .* message format version:0x2", voter.log())


def test_member_without_a_log_follows_the_larger_number_of_apache(ensemble):
    ensemble.plan({1: "participant", 2: "participant", 3: "participant"})
    member = ensemble.member(1)
    ensemble.apache(3)
    decides(member, ("FOLLOWING", 3))


def test_observing_member_learns_who_leads(ensemble):
    ensemble.plan({1: "participant", 2: "participant", 3: "observer"})
    ensemble.apache(1)
    ensemble.apache(2)
    decides(ensemble.member(3), ("OBSERVING", 2))


def test_apache_observer_learns_of_a_leader_that_members_elected(ensemble):
    ensemble.plan({1: "participant", 2: "participant", 3: "observer"})
    first, second = ensemble.member(1), ensemble.member(2)
    decides(first, ("FOLLOWING", 2))
    decides(second, ("LEADING", 2))
    observer = ensemble.apache(3, peerType="observer")
    wait.until(lambda: "Observing new leader sid=2" in observer.log(), 60, "the observer's decision")


def mode(server):
    try:
        return server.word("srvr")
    except OSError:
        return ""
