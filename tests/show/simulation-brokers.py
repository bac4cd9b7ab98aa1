#!/usr/bin/env python3
# Campaigns of the brokers' simulator, by default and wide (at least 2,000 seeds of each) and with several log
# directories (300), every kind of fault and of load met, no violation; and its mutants, each found by some
# seed and each in the table of docs/simulation.md. `simulation-brokers.py [SEEDS [SEED]]`
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.campaigns import mutants, sim, told, unmet  # noqa: E402

RECORDS_MIN = 20  # attempted, a simulated second
MUTANTS_MIN = 20
ONLY_WIDE = ("consumed from followers", "lost by them", "records deleted", "unclean elections",
             "power cut of all", "deletion of records", "throttle", "unclean election asked for",
             "unclean elections allowed or not", "said again", "of left epochs refused", "loss of office")
ONLY_DISKS = ("log directory struck", "log directory: writes fail", "log directory: reads fail",
              "log directory: full", "log directory: all fails", "log directory offline",
              "log directory replaced", "move between directories", "replica in another directory")
ONLY = {"--wide": ONLY_WIDE, "--disks": ONLY_DISKS}  # told as 0, or not at all, without these words
SEEDS_OF_DISKS = 300
CAMPAIGN = re.compile(r"(\d+) seeds, ([\d.]+) simulated hours in [\d.]+ s; records:(.*?) "
                      r"faults:(.*) violations 0")


def campaign(seeds, seed, mode=None):
    good, lines = sim("--brokers", *([mode] if mode else []), "--seed", seed, "--seeds", seeds)
    found = CAMPAIGN.match(lines[-1])
    if not good or not found:
        return False, " / ".join(lines[-3:])
    run, hours, records, faults = found.groups()
    attempted = int(re.search(r"attempted (\d+),", records).group(1))
    busy = attempted >= RECORDS_MIN * float(hours) * 3600
    others = [name for word, names in ONLY.items() if word != mode for name in names]
    missing = [name for name in ONLY.get(mode, ()) if not re.search(f"{name} [1-9]", records + faults)]
    if missing:
        print(f"not met by {mode}: {missing}", flush=True)
    whole = int(run) == int(seeds) and not unmet(records + faults, others) and not missing
    return whole and busy, lines[-1]


if __name__ == "__main__":
    count, first = (*sys.argv[1:], *("2000", "1")[len(sys.argv) - 1:])
    sys.exit(told("simulation-brokers", {
        "campaign": campaign(count, first), "wide campaign": campaign(count, first, "--wide"),
        "campaign with disks": campaign(min(int(count), SEEDS_OF_DISKS), first, "--disks"),
        "mutants": mutants(MUTANTS_MIN, "--brokers", "--seed", 1, "--seeds", 600)}))
