"""A running ensemble replaced server by server, and put back, while clients write, own nodes and watch."""

import time

from kazoo.client import KazooClient

from support import wait
from support.creator import Creator

OWNED = 10


class Rolling:
    """`ensemble` runs. After `through(kinds)` the figures say what clients lost: nothing, if all is well."""

    def __init__(self, ensemble, properties=None, say=lambda text: None):
        self.ensemble, self.properties, self.say = ensemble, properties or {}, say
        self.clients = [KazooClient(ensemble.hosts(), timeout=20.0) for _ in range(3)]
        self.told, self.heard = 0, []

    def through(self, kinds):
        for client in self.clients:
            client.start(30)
        owner, writer, watcher = self.clients
        sessions = [client.client_id[0] for client in self.clients]
        writer.create("/load")
        writer.create("/told", b"0")
        for i in range(OWNED):
            owner.create(f"/owned{i}", ephemeral=True)
        watcher.DataWatch("/told")(lambda data, stat: self.heard.append(int(data)))
        load = Creator(writer, "/load/n")
        load.start()
        for kind in kinds:
            leader = self.ensemble.leader()
            for number in [n for n in self.ensemble.ids if n != leader] + [leader]:
                self.replace(number, kind, load, owner)
        load.end()
        self.ensemble.same_trees()
        kept = {f"/load/{name}" for name in owner.retry(owner.get_children, "/load")}
        return {
            "acknowledged": len(load.acknowledged),
            "lost": len(set(load.acknowledged) - kept),
            "sessions lost": sum(client.client_id[0] != was for client, was in zip(self.clients, sessions)),
            "ephemerals lost": sum(not owner.exists(f"/owned{i}") for i in range(OWNED)),
            "events": self.told,
            "events lost": self.told + 1 - len(set(self.heard)),
        }

    def replace(self, number, kind, load, owner):
        """Stops a server and starts the other program on its directory, while the load goes on."""
        begun, role = time.monotonic(), self.ensemble.mode(number)
        self.ensemble.members[number].stop()
        load.more(20)
        self.ensemble.become(number, kind)
        self.ensemble.members[number].properties.update(self.properties)
        self.ensemble.launch(number)
        self.ensemble.serving()
        load.more(20)
        self.told += 1
        owner.retry(owner.set, "/told", b"%d" % self.told)
        wait.until(lambda: self.heard[-1] == self.told, 20, "the watch")
        self.say(f"server {number}, {role} until now, runs {kind} after {time.monotonic() - begun:.1f} s: "
                 f"{self.ensemble.mode(number)}, {len(load.acknowledged)} writes acknowledged so far")

    def end(self):
        for client in self.clients:
            client.stop()
            client.close()
