"""Ensembles of Apache's servers and ours under a write load while leaders die: whoever leads and whoever
follows, nothing that was acknowledged is lost and all trees are equal."""

import pytest
from kazoo.client import KazooClient

from support import tree, wait
from support.creator import Creator
from support.ensembles import Ensemble

CONFIG = {"tickTime": 1000, "preAllocSize": 64}


# Of servers with equal histories the higher id is elected: 3 and 2 lead in turn.
@pytest.mark.parametrize("kinds", [("apache", "ours", "apache"), ("ours", "apache", "ours")])
def test_leaders_die_under_load_and_nothing_acknowledged_is_lost(tmp_path, kinds):
    ensemble = Ensemble(tmp_path, kinds, config=CONFIG, properties=tree.PROPERTIES)
    with ensemble:
        clients = [KazooClient(ensemble.hosts(), timeout=10.0) for _ in range(3)]
        for client in clients:
            client.start(30)
        writers = [Creator(client, f"/w{i}-") for i, client in enumerate(clients)]
        for writer in writers:
            writer.start()
        led = []
        for _ in range(4):
            for writer in writers:
                writer.more(30)
            leader = ensemble.leader()
            led.append(leader)
            ensemble.members[leader].kill()
            wait.until(lambda: ensemble.leader() not in (None, leader), 30, "another leader")
            for writer in writers:
                writer.more(30)
            ensemble.launch(leader)
            ensemble.serving(timeout=60)
        for writer in writers:
            writer.end()
        for client in clients:
            client.stop()
            client.close()
        assert {kinds[n - 1] for n in led} == {"ours", "apache"}, f"{led} led"
        ensemble.same_trees(timeout=40)
        nodes = tree.dump(ensemble.members[1].port)
        lost = [path for writer in writers for path in writer.acknowledged if path not in nodes]
        assert not lost, f"{len(lost)} lost, first {lost[:5]}"
        assert all(ensemble.monitor(n).get("digest_mismatches_count") == "0" for n in ensemble.ids)
