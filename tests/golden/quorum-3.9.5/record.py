#!/usr/bin/env python3
"""Records what three Apache servers and an observer say to each other on their learner ports.

    record.py DIRECTORY      runs the ensemble in DIRECTORY and leaves the recordings in DIRECTORY/out

Each server knows the others' learner ports as those of a proxy; the cases are in README.md.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from peers import peers, recorder  # noqa: E402  (the path is set above)
from support import ports, txnlog, wait, zk_wire  # noqa: E402

OBSERVER = 4


class Run:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.out = self.directory / "out"
        self.out.mkdir(parents=True)
        self.quorum = {n: (ports.free_port(), ports.free_port(), ports.free_port()) for n in range(1, 5)}
        self.recorders = {}
        self.servers = {n: self.make(n) for n in self.quorum}

    def make(self, number):
        directory = self.directory / f"server{number}"
        (directory / "data").mkdir(parents=True)
        (directory / "data" / "myid").write_text(str(number))
        config = {"tickTime": 500, "initLimit": 20, "syncLimit": 20, "preAllocSize": 16}
        if number == OBSERVER:
            config["peerType"] = "observer"
        for n, (learner, proxy, election) in self.quorum.items():
            port = learner if n == number else proxy
            role = ":observer" if n == OBSERVER else ""
            config[f"server.{n}"] = f"{ports.HOST}:{port}:{election}{role}"
        return peers.ApacheZooKeeper(directory, config=config)

    def name(self, case):
        """Connections from now on are of this case."""
        for n, (learner, proxy, _) in self.quorum.items():
            if n in self.recorders:
                self.recorders[n].name = f"{case}-to{n}"
                self.recorders[n].connections = 0
            else:
                self.recorders[n] = recorder.Recorder(proxy, learner, self.out, f"{case}-to{n}")

    def leader(self):
        for n, server in self.servers.items():
            try:
                if server.running and "Mode: leader" in server.word("srvr"):
                    return n
            except OSError:
                pass
        return None

    def write(self, link, count, prefix):
        for i in range(count):
            link.call("create", zk_wire.create(f"/{prefix}{i}", b"data"))


def main(directory):
    run = Run(directory)
    try:
        run.name("fresh")
        for n in (1, 2, 3):
            run.servers[n].launch()
        for n in (1, 2, 3):
            wait.until(run.servers[n].ready, 60, f"server {n}")
        leader = wait.until(run.leader, 20, "a leader")
        first, second = (n for n in (1, 2, 3) if n != leader)
        one = zk_wire.Link(run.servers[first].port)
        run.write(one, 3, "a")
        one.call("sync", zk_wire.buffer("/"))
        parts = [("create", zk_wire.create("/m", b"x")), ("check", zk_wire.versioned("/m", 0))]
        one.call("multi", zk_wire.multi(parts))
        moved = zk_wire.Link(run.servers[second].port, session=one.session, password=one.password)
        moved.call("create", zk_wire.create("/moved", b""))
        wait.pause(1, "pings with touched sessions")
        run.servers[first].kill()
        moved.call("create", zk_wire.create("/b", b"while one is away"))
        run.name("diff")
        run.servers[first].start()

        run.servers[first].kill()
        txnlog.append_lost_transactions(run.servers[first].directory)
        run.name("trunc")
        run.servers[first].start()

        run.servers[first].kill()
        run.write(moved, 20, "c")
        run.name("long_diff")
        run.servers[first].start()

        run.name("observer")
        run.servers[OBSERVER].start()
        run.write(moved, 2, "d")
        wait.pause(1, "pings to the observer")
    finally:
        for server in run.servers.values():
            if server.running:
                server.kill()
    for path in sorted(run.out.iterdir()):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])
