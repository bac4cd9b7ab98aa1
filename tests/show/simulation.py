#!/usr/bin/env python3
# A campaign of the simulator (100 simulated hours, at least 2,000 seeds, every kind of fault met, no
# violation), the small case gone through, leaders that hear nobody, and the mutants, each found by some seed
# and each in the table of docs/simulation.md. `simulation.py [HOURS [SEED]]`
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.campaigns import mutants, sim, told, unmet  # noqa: E402

SEEDS_MIN = 2000
OPERATIONS_MIN = 20  # a simulated second
HOURS_PER_HOUR_MIN = 100  # simulated, in one of a processor
MUTANTS_MIN = 30
CAMPAIGN = re.compile(r"(\d+) seeds, ([\d.]+) simulated hours in ([\d.]+) s, (\d+) elections, "
                      r"(\d+) operations \((\d+) a second\).* violations 0")


def campaign(hours, seed):
    good, lines = sim("--seed", seed, "--hours", hours)
    found = CAMPAIGN.match(lines[-1])
    if not good or not found:
        return False, " / ".join(lines[-3:])
    seeds, simulated, seconds, elections, _, rate = map(float, found.groups())
    faults = lines[-1].split("faults:")[1].split("beside them:")[0]
    enough = seeds >= SEEDS_MIN or float(hours) < 100
    quick = simulated * 3600 >= seconds * HOURS_PER_HOUR_MIN
    busy = rate >= OPERATIONS_MIN and elections >= seeds
    return not unmet(faults) and enough and quick and busy, lines[-1]


def last(outcome):
    good, lines = outcome
    return good, lines[-1]


if __name__ == "__main__":
    hours, first = (*sys.argv[1:], *("100", "1")[len(sys.argv) - 1:])
    sys.exit(told("simulation", {
        "campaign": campaign(hours, first), "small case": last(sim("--explore", "--seconds", 60)),
        "deaf leaders": last(sim("--deaf", "--seed", 1, "--seeds", 100)),
        "mutants": mutants(MUTANTS_MIN, "--seed", 1, "--seeds", 500)}))
