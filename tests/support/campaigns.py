"""What the simulators say of a campaign, and of their mutants."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sim(*words):
    """Whether `./dev sim` with these words went well, and its lines."""
    command = [str(ROOT / "dev"), "sim", *map(str, words)]
    print(f"$ ./dev sim {' '.join(command[2:])}", flush=True)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    lines = []
    for line in child.stdout:
        print(line, end="", flush=True)
        lines.append(line.strip())
    return child.wait() == 0, [line for line in lines if line] or ["nothing was said"]


def unmet(counts, but=()):
    """The names of what is counted 0 in "name 3, another name 0,", other than these."""
    names = set(re.findall(r"([a-z][a-z' -]*) 0,", counts)) - set(but)
    if names:
        print(f"never met: {names}", flush=True)
    return names


def mutants(at_least, *words):
    """Whether each is found and stands in docs/simulation.md, and the last line."""
    good, lines = sim(*words, "--mutants")
    known = (ROOT / "docs" / "simulation.md").read_text()
    names = [line.split()[1] for line in lines if line.startswith("| ")][2:]
    untold = [name for name in names if f"| {name} |" not in known]
    if untold:
        print(f"not in docs/simulation.md: {untold}", flush=True)
    return good and len(names) >= at_least and not untold, lines[-1]


def told(show, steps):
    """The last lines of `steps`, {name: (whether it is good, line)}; the exit code."""
    for name, (good, line) in steps.items():
        print(f"{show}: {name}: {line}{'' if good else ' FELL SHORT'}")
    return 0 if all(good for good, _ in steps.values()) else 1
