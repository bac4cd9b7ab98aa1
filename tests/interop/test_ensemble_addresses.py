"""Forms in which zoo.cfg may name the members: IPv6, several addresses, host names, a dynamic file, groups
and weights; ours alone and together with Apache's servers."""

import re

import pytest
from kazoo.client import KazooClient

from support import wait
from support.ensembles import Ensemble

A, O = "apache", "ours"
OURS = pytest.param([O, O, O], id="ours")
MIXED = pytest.param([O, A, O], id="mixed", marks=pytest.mark.full)
LINE = re.compile(r"^(server\.(\d+)=)127\.0\.0\.1:(\d+):(\d+)(.*)$", re.MULTILINE)


@pytest.fixture
def begin(tmp_path):
    """begin(kinds, change): an ensemble whose zoo.cfg files are change(text, number)."""
    made = []

    def start(kinds, change, properties=None):
        ensemble = Ensemble(tmp_path, kinds, config={"tickTime": 1000}, properties=properties)
        made.append(ensemble)
        for n in ensemble.ids:
            config = ensemble.members[n].config
            config.write_text(change(config.read_text(), n))
        return ensemble.start()

    yield start
    for ensemble in made:
        ensemble.end()


def serves(ensemble):
    """A write at each server, and the same tree at all of them."""
    for n in ensemble.ids:
        client = KazooClient(ensemble.hosts(n), timeout=10.0)
        client.start(20)
        client.create(f"/at{n}", b"x")
        client.stop()
        client.close()
    ensemble.same_trees()
    return True


@pytest.mark.parametrize("kinds", [OURS, MIXED])
def test_members_with_ipv6_addresses(begin, kinds):
    ensemble = begin(kinds, lambda text, _: LINE.sub(r"\1[::1]:\3:\4\5", text))
    assert serves(ensemble)
    for n in ensemble.ids:
        _, learner, election = ensemble.addresses[n]
        for other in ensemble.ids:
            conf = ensemble.members[other].word("conf")
            assert f"server.{n}=[0:0:0:0:0:0:0:1]:{learner}:{election}:participant\n" in conf


@pytest.mark.parametrize("kinds", [OURS, MIXED])
def test_members_with_several_addresses(begin, kinds):
    ensemble = begin(kinds, lambda text, _: LINE.sub(r"\g<1>127.0.0.1:\3:\4|127.0.1.\2:\3:\4\5", text),
                     {"zookeeper.multiAddress.enabled": "true"})
    assert serves(ensemble)
    leader = ensemble.leader()
    ensemble.members[leader].kill()
    wait.until(lambda: ensemble.leader() not in (None, leader), 30, "another leader")
    ensemble.launch(leader).serving()
    conf = [ensemble.members[n].word("conf").split("membership: \n")[1].split("\nversion")[0]
            for n in ensemble.ids]
    assert len(set(conf)) == 1 and conf[0].count("|127.0.1.") == 3


def test_of_several_addresses_those_that_answer_are_used(begin):
    """Each server is known to the others by an address where nobody listens, too."""
    def change(text, number):
        def line(found):
            good = f"{found[1]}127.0.0.1:{found[3]}:{found[4]}"
            return good if int(found[2]) == number else f"{good}|127.0.0.0:{found[3]}:{found[4]}"
        return LINE.sub(line, text)

    ensemble = begin([O, O, O], change, {"zookeeper.multiAddress.enabled": "true"})
    assert serves(ensemble)


@pytest.mark.parametrize("kinds", [OURS, MIXED])
def test_members_with_host_names_that_listen_everywhere(begin, kinds):
    everywhere = "quorumListenOnAllIPs=true\n"
    ensemble = begin(kinds, lambda text, _: LINE.sub(r"\1localhost:\3:\4\5", text) + everywhere)
    assert serves(ensemble)
    for n in ensemble.ids:
        assert f"server.{n}=localhost:" in ensemble.members[n].word("conf")


@pytest.mark.parametrize("kinds", [OURS, MIXED])
def test_members_in_a_dynamic_file_whose_name_has_the_version(begin, kinds):
    def change(text, number):
        rows = [line for line in text.splitlines() if line.startswith("server.")]
        directory = next(line for line in text.splitlines() if line.startswith("dataDir=")).split("=")[1]
        file = f"{directory}/zoo.cfg.dynamic.100000002"
        with open(file, "w") as out:
            out.write("\n".join(rows) + "\n")
        kept = [line for line in text.splitlines() if not line.startswith("server.")]
        return "\n".join([*kept, f"dynamicConfigFile={file}"]) + "\n"

    ensemble = begin(kinds, change)
    assert serves(ensemble)
    for n in ensemble.ids:
        assert ensemble.members[n].word("conf").endswith("version=100000002")


@pytest.mark.parametrize("kinds", [
    pytest.param([O] * 5, id="ours"), pytest.param([O, A, O, A, O], id="mixed", marks=pytest.mark.full)])
def test_servers_without_weight_do_not_lead_and_are_not_missed(begin, kinds):
    lines = "group.1=1:2:3:4:5\nweight.1=1\nweight.2=1\nweight.3=1\nweight.4=0\nweight.5=0\n"
    ensemble = begin(kinds, lambda text, _: text + lines)
    assert ensemble.leader() in (1, 2, 3)
    assert serves(ensemble)
    for n in (4, 5):
        ensemble.members[n].kill()
    leader = ensemble.leader()
    ensemble.members[leader].kill()  # two of three with a weight are left, and two of five
    rest = [n for n in (1, 2, 3) if n != leader]
    wait.until(lambda: ensemble.leader() in rest, 30, "a leader")
    client = KazooClient(ensemble.hosts(*rest), timeout=10.0)
    client.start(20)
    client.create("/with-two")
    client.stop()
    client.close()
    conf = ensemble.members[rest[0]].word("conf")
    assert "group.1=1:2:3:4:5\nweight.1=1\nweight.2=1\nweight.3=1\nweight.4=0\nweight.5=0\nversion=" in conf
