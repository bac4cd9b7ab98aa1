"""Ensembles on loopback: each member ours or Apache's, on the same zoo.cfg, and free to change."""

from pathlib import Path

from support import ports, servers, tree, wait


class Ensemble:
    """`kinds`: "ours", "apache" or, of another version, "apache 3.8.4" for each server id from 1 on;
    `observers`: the ids that do not vote; `data`: dataDir of each id where it is not below `directory`;
    `network`: what the servers reach each other by; `heap`: of Apache's; `lab`: a netns.Lab with a host for
    each; `apart`: each server on a loopback address of its own for the others, so that all may have the same
    observerMasterPort."""

    def __init__(self, directory, kinds, observers=(), config=None, properties=None, data=None,
                 network=None, heap="256m", lab=None, apart=False):
        self.lab, self.apart = lab, apart
        self.directory, self.properties = Path(directory), properties or {}
        self.network, self.heap = network, heap
        self.ids = list(range(1, len(kinds) + 1))
        self.kinds = dict(zip(self.ids, kinds))
        self.observers = set(observers)
        self.data = {n: Path(data[n]) if data else self.directory / f"server{n}" / "data" for n in self.ids}
        free = iter(ports.free_ports(3 * len(self.ids)))
        self.addresses = {n: (next(free), next(free), next(free)) for n in self.ids}
        self.members = {n: self._make(n, config or {}) for n in self.ids}

    def _make(self, number, config):
        directory = self.directory / f"server{number}"
        self.data[number].mkdir(parents=True, exist_ok=True)
        (self.data[number] / "myid").write_text(f"{number}\n")
        values = {**config, "dataDir": self.data[number]}
        for n, (_, learner, election) in self.addresses.items():
            if self.network and n != number:
                learner, election = (self.network.port((number, n), port) for port in (learner, election))
            role = ":observer" if n in self.observers else ""
            host = self.lab.host(n) if self.lab else f"127.0.0.{n}" if self.apart else ports.HOST
            values[f"server.{n}"] = f"{host}:{learner}:{election}{role}"
        if number in self.observers:
            values["peerType"] = "observer"
        arguments = {"port": self.addresses[number][0], "config": values, "properties": self.properties}
        if self.lab:
            arguments |= {"host": self.lab.host(number), "prefix": self.lab.prefix(number)}
        if self.kinds[number] == "ours":
            return servers.Coord(directory, **arguments)
        from peers import peers  # only those who have Apache's need its fetcher
        version = self.kinds[number].removeprefix("apache").strip() or peers.ZOOKEEPER
        return peers.ApacheZooKeeper(directory, version=version, heap=self.heap, **arguments)

    def become(self, number, kind, config=None):
        """The member, stopped before, runs the other program from now on, on the same directory."""
        self.kinds[number] = kind
        self.members[number] = self._make(number, config or {})
        return self.members[number]

    def hosts(self, *numbers):
        return ",".join(self.members[n].connect for n in numbers or self.ids)

    def mode(self, number):
        """leader, follower, observer; None when it does not serve."""
        try:
            for line in self.members[number].word("srvr").splitlines():
                if line.startswith("Mode: "):
                    return line[6:]
        except OSError:
            pass
        return None

    def modes(self):
        return {n: self.mode(n) for n in self.ids}

    def leader(self):
        """The id of the one that leads, or None."""
        leading = [n for n in self.ids if self.members[n].running and self.mode(n) == "leader"]
        return leading[0] if len(leading) == 1 else None

    def launch(self, *numbers):
        for n in numbers or self.ids:
            self.members[n].launch()
        return self

    def serving(self, *numbers, timeout=40.0):
        """Waits until those named (or all) serve in a role and one of all leads."""
        def check():
            for n in numbers or self.ids:
                if not self.members[n].running:
                    raise RuntimeError(f"server {n} ended:\n{self.members[n].log()[-3000:]}")
            return self.leader() is not None and all(self.mode(n) for n in numbers or self.ids)
        try:
            wait.until(check, timeout, "an ensemble that serves", interval=0.05)
        except wait.Timeout as error:
            logs = "\n".join(f"--- {n}\n{self.members[n].log()[-2500:]}" for n in self.ids)
            raise RuntimeError(f"{error}: {self.modes()}\n{logs}") from error
        return self

    def start(self):
        self.launch()
        return self.serving()

    def monitor(self, number):
        """mntr as a dictionary, names without zk_."""
        lines = self.members[number].word("mntr").splitlines()
        return dict(line[3:].split("\t", 1) for line in lines if "\t" in line)

    def same_trees(self, *numbers, timeout=15.0):
        """Waits until those named (or all) hold the same nodes with the same stats."""
        def dump(number):
            nodes = tree.dump(self.members[number].port)
            nodes.pop("/zookeeper/config")  # written by each server for itself, at its own time
            return nodes

        def rows():
            first, *others = [dump(n) for n in numbers or self.ids]
            return [row for other in others for row in tree.differences(first, other)]

        wait.until(lambda: not rows(), timeout, "equal trees")

    def end(self):
        for member in self.members.values():
            if member.running:
                member.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()
