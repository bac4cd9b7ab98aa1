#!/usr/bin/env python3
# A campaign of the simulator (100 simulated hours, at least 2,000 seeds, every kind of fault met, no
# violation), the small case gone through, leaders that hear nobody, and the mutants, each found by some seed
# and each in the table of docs/simulation.md. `simulation.py [HOURS [SEED]]`
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS_MIN = 2000
OPERATIONS_MIN = 20  # a simulated second
HOURS_PER_HOUR_MIN = 100  # simulated, in one of a processor
MUTANTS_MIN = 30
CAMPAIGN = re.compile(r"(\d+) seeds, ([\d.]+) simulated hours in ([\d.]+) s, (\d+) elections, "
                      r"(\d+) operations \((\d+) a second\).* violations 0")


def sim(*words):
    """Whether it went well, and its lines."""
    command = [str(ROOT / "dev"), "sim", *map(str, words)]
    print(f"$ ./dev sim {' '.join(command[2:])}", flush=True)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    lines = []
    for line in child.stdout:
        print(line, end="", flush=True)
        lines.append(line.strip())
    return child.wait() == 0, [line for line in lines if line] or ["nothing was said"]


def campaign(hours, seed):
    good, lines = sim("--seed", seed, "--hours", hours)
    found = CAMPAIGN.match(lines[-1])
    if not good or not found:
        return False, " / ".join(lines[-3:])
    seeds, simulated, seconds, elections, _, rate = map(float, found.groups())
    faults = lines[-1].split("faults:")[1].split("beside them:")[0]
    unmet = re.findall(r"([a-z -]+) 0,", faults)
    enough = seeds >= SEEDS_MIN or float(hours) < 100
    quick = simulated * 3600 >= seconds * HOURS_PER_HOUR_MIN
    busy = rate >= OPERATIONS_MIN and elections >= seeds
    if unmet:
        print(f"faults that were never met: {unmet}", flush=True)
    return enough and quick and busy and not unmet, lines[-1]


def mutants():
    good, lines = sim("--seed", 1, "--seeds", 500, "--mutants")
    known = (ROOT / "docs" / "simulation.md").read_text()
    names = [line.split()[1] for line in lines if line.startswith("| ")][2:]
    untold = [name for name in names if f"| {name} |" not in known]
    if untold:
        print(f"not in docs/simulation.md: {untold}", flush=True)
    return good and len(names) >= MUTANTS_MIN and not untold, lines[-1]


def last(outcome):
    good, lines = outcome
    return good, lines[-1]


def main():
    hours, seed = (*sys.argv[1:], *("100", "1")[len(sys.argv) - 1:])
    steps = {"campaign": campaign(hours, seed), "small case": last(sim("--explore", "--seconds", 60)),
             "deaf leaders": last(sim("--deaf", "--seed", 1, "--seeds", 100)), "mutants": mutants()}
    for name, (good, line) in steps.items():
        print(f"simulation: {name}: {line}{'' if good else ' FELL SHORT'}")
    return 0 if all(good for good, _ in steps.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
