"""Strangers at the ports of both servers: a small dose; `./dev show hostile` gives the full one."""

from support import hostile

GROWTH_MIB_MAX = 200


def bears(target, seed):
    seen = hostile.attack(target, 1, seed)
    print(f"{target.name}, seed {seed}: {seen}")
    assert target.server.running
    assert seen["asked"] > 50 and seen["failed"] == 0, seen
    assert seen["peak_mib"] - seen["first_mib"] <= GROWTH_MIB_MAX, seen


def test_tandem_broker_serves_good_clients_through_hostile_input(broker, seed):
    bears(hostile.BrokerTarget(broker), seed)


def test_tandem_coord_serves_good_clients_through_hostile_input(new_coord, seed):
    bears(hostile.CoordTarget(new_coord()), seed)
