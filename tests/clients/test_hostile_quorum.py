"""Strangers at the ports that are for the servers of an ensemble: a small dose; `./dev show hostile-quorum`
gives the full one."""

import pytest

from support import hostile
from support.ensembles import Ensemble
from support.hostile_quorum import ElectionPortTarget, LearnerPortTarget, rejoins

GROWTH_MIB_MAX = 100


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    with Ensemble(tmp_path_factory.mktemp("hostile"), ["ours"] * 3) as made:
        yield made


@pytest.mark.parametrize("kind", [LearnerPortTarget, ElectionPortTarget])
def test_an_ensemble_serves_on_while_strangers_are_at_its_ports(ensemble, seed, kind):
    def elections():
        return [member.log().count("LOOKING: ") for member in ensemble.members.values()]

    before = elections()
    target = kind(ensemble)
    seen = hostile.attack(target, 1, seed)
    print(f"{target.name}, seed {seed}: {seen}")
    assert target.running
    assert seen["asked"] > 50 and seen["failed"] == 0, seen
    assert seen["peak_mib"] - seen["first_mib"] <= GROWTH_MIB_MAX, seen
    assert elections() == before, "an election for nothing"


def test_a_server_comes_back_through_a_flood_of_silent_connections(ensemble):
    leader = ensemble.leader()
    for port in ensemble.addresses[leader][1:]:
        took = rejoins(ensemble, port)
        print(f"back after {took:.2f} s")
        ensemble.serving()
