"""The shared load generators, which judge the gates: compiled when asked for, run to their end."""

import json
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[3] / "shared" / "bench"


def compiled(name, directory):
    """The program of that name, or exit code 2 where the sources are not beside this repository."""
    source = SOURCES / f"{name}.cpp"
    if not source.exists():
        print(f"{source} is not there")
        raise SystemExit(2)
    program = str(Path(directory) / name)
    flags = ["-O2", "-std=c++20", "-march=native"]
    subprocess.run(["g++", *flags, str(source), "-o", program, "-lz", "-lpthread"], check=True)
    return program


def output(*command, timeout=300):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")
    return done.stdout


def figures(*command, timeout=300):
    """What a generator printed, by name."""
    return json.loads(output(*command, timeout=timeout))
