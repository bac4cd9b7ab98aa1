#!/usr/bin/env python3
# Random bytes, lengths of 0x7fffffff, 2,000 half-open connections and readers that never read at the
# election and quorum ports of a leader: memory bounded, no election, writes served all along, a restarted
# server joins.
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import hostile  # noqa: E402
from support.ensembles import Ensemble  # noqa: E402
from support.hostile_quorum import ElectionPortTarget, LearnerPortTarget, rejoins  # noqa: E402

SCALE = 5
SEED = 1
GROWTH_MIB_MAX = 300


def elections(ensemble):
    return {n: member.log().count("LOOKING: ") for n, member in ensemble.members.items()}


def main():
    good = True
    with tempfile.TemporaryDirectory(prefix="tandem-hostile-") as directory:
        with Ensemble(directory, ["ours"] * 3) as ensemble:
            before = elections(ensemble)
            for kind in (LearnerPortTarget, ElectionPortTarget):
                target = kind(ensemble)
                seen = hostile.attack(target, SCALE, SEED)
                held = seen["peak_mib"] - seen["first_mib"] <= GROWTH_MIB_MAX
                served = seen["failed"] == 0 and seen["asked"] > 100
                calm = elections(ensemble) == before
                fine = target.running and served and held and calm
                good = good and fine
                print(f"{target.name}: {seen}, {'no election' if calm else 'AN ELECTION'} "
                      f"{'ok' if fine else 'FELL SHORT'}", flush=True)
                if not calm:
                    print("".join(f"--- server {n}\n{each.log()}" for n, each in ensemble.members.items()))
            for port in ensemble.addresses[ensemble.leader()][1:]:
                took = rejoins(ensemble, port)
                print(f"a restarted server joins through a flood in {took:.2f} s", flush=True)
                ensemble.serving()
    print("hostile-quorum: " + ("the ensemble served all along" if good else "FELL SHORT"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
