#!/usr/bin/env python3
# The walkthrough's first chapter: ensembles of three and of five by zkServer.sh, started one after another,
# with the elections that its rules foretell.
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import ports, wait  # noqa: E402

BIN = Path(__file__).resolve().parents[2] / "dist" / "bin"


class Show:
    """Servers of one ensemble, each with a zoo.cfg of its own, as on machines of their own."""

    def __init__(self, directory, count):
        self.directory, self.ids = directory, list(range(1, count + 1))
        self.passed = self.failed = 0
        self.clients = {n: ports.free_port() for n in self.ids}
        lines = [f"server.{n}={ports.HOST}:{ports.free_port()}:{ports.free_port()}" for n in self.ids]
        self.configs = {n: self.write(n, lines) for n in self.ids}

    def write(self, number, lines):
        home = self.directory / str(number)
        (home / "data").mkdir(parents=True)
        (home / "data" / "myid").write_text(f"{number}\n")
        path = home / "zoo.cfg"
        path.write_text("\n".join(["tickTime=2000", "initLimit=10", "syncLimit=5", f"dataDir={home}/data",
                                   f"dataLogDir={home}/logs", f"clientPort={self.clients[number]}", *lines])
                        + "\n")
        return path

    def tool(self, number, words, quiet=False):
        environment = {**os.environ, "ZOO_LOG_DIR": str(self.directory / str(number) / "log")}
        result = subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, text=True, timeout=60,
                                env=environment)
        if not quiet:
            print(f"[{number}] $ bin/{' '.join(words)}\n{result.stdout}", end="", flush=True)
        return result.stdout + result.stderr

    def expect(self, what, holds):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'as expected' if holds else 'NOT AS EXPECTED'}: {what}", flush=True)

    def start(self, number):
        self.tool(number, ["zkServer.sh", "start", str(self.configs[number])])

    def stop(self, number):
        self.tool(number, ["zkServer.sh", "stop", str(self.configs[number])])

    def mode(self, number, quiet=True):
        text = self.tool(number, ["zkServer.sh", "status", str(self.configs[number])], quiet)
        return next((line[6:] for line in text.splitlines() if line.startswith("Mode: ")), None)

    def modes(self, expected):
        """Waits for the modes, then shows what status prints on each server."""
        try:
            wait.until(lambda: {n: self.mode(n) for n in expected} == expected, 30, "the modes")
        except wait.Timeout:
            pass
        shown = {n: self.mode(n, quiet=False) for n in expected}
        self.expect(f"{expected}", shown == expected)

    def shell(self, number, *words):
        return self.tool(number, ["zkCli.sh", "-server", f"{ports.HOST}:{self.clients[number]}", *words])

    def end(self):
        for n in self.ids:
            self.stop(n)


def three(show):
    show.start(1)
    show.expect("one of three serves nobody", show.mode(1) is None)
    show.start(2)
    show.modes({1: "follower", 2: "leader"})
    show.start(3)
    show.modes({1: "follower", 2: "leader", 3: "follower"})
    show.shell(3, "create", "/walk", "through")
    show.expect("every server answers with the same data",
                all("through" in show.shell(n, "get", "/walk") for n in show.ids))
    show.stop(2)
    show.modes({1: "follower", 3: "leader"})
    show.expect("a majority keeps the service up", "Created" in show.shell(1, "create", "/more"))
    show.start(2)
    show.modes({1: "follower", 2: "follower", 3: "leader"})


def five(show):
    for n in (1, 2):
        show.start(n)
    show.expect("two of five serve nobody", show.mode(1) is None and show.mode(2) is None)
    show.start(3)
    show.modes({1: "follower", 2: "follower", 3: "leader"})
    for n in (4, 5):
        show.start(n)
    show.modes({1: "follower", 2: "follower", 3: "leader", 4: "follower", 5: "follower"})
    for n in (4, 5):
        show.stop(n)
    show.expect("a write that 4 and 5 miss", "Created" in show.shell(1, "create", "/missed"))
    for n in (3, 1, 2):
        show.stop(n)
    for n in (1, 2, 4):
        show.start(n)
    show.modes({1: "follower", 2: "leader", 4: "follower"})  # the larger zxid beats the larger id
    show.expect("which 4 has now", "missed" in show.shell(4, "ls", "/"))


def main():
    passed = failed = 0
    for count, story in ((3, three), (5, five)):
        with tempfile.TemporaryDirectory(prefix="tandem-ensemble-") as directory:
            show = Show(Path(directory), count)
            try:
                story(show)
            finally:
                show.end()
            passed, failed = passed + show.passed, failed + show.failed
    print(f"ensembles of three and five: {passed} steps as expected, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
