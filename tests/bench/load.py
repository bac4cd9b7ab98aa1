"""Runs of the load generators."""

import subprocess

from support import servers

BENCH = servers.build_directory() / "tests" / "bench"


def load(program, *arguments, timeout=600):
    """A generator's run as a dict of its key=value pairs."""
    command = [str(BENCH / program), *map(str, arguments)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    pairs = dict(word.split("=", 1) for word in result.stdout.split() if "=" in word)
    return {
        key: float(value) if value.replace(".", "", 1).isdigit() else value for key, value in pairs.items()
    }
