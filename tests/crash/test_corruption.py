"""Damage in one server's files never harms the ensemble: no wrong read, no lost write, mended by itself."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import corruption  # noqa: E402
import cycles  # noqa: E402


def test_damage_is_mended_by_an_apache_leader(tmp_path, seed):
    kinds = ("ours", "apache", "apache")  # the vote of the larger number wins, so that Apache's lead
    corruption.check(corruption.Injections(tmp_path, seed, kinds=kinds).run(cycles.count(3)), seed)


def test_damage_in_one_server_is_mended_by_the_others(tmp_path, seed):
    corruption.check(corruption.Injections(tmp_path, seed).run(cycles.count(10)), seed)


def test_what_changes_no_byte_is_no_injection(tmp_path, seed):
    injections = corruption.Injections(tmp_path, seed)
    epoch = injections.files(1) / "currentEpoch"
    epoch.parent.mkdir(parents=True)
    epoch.write_bytes(b"")
    assert not any(injections.spoil(epoch, method) for method in corruption.METHODS)
    epoch.write_bytes(bytes(8))
    assert not injections.spoil(epoch, "zero")
    for _ in range(20):  # no logs, no snapshots, zeros over zeros: drawn again
        epoch.write_bytes(bytes(8))
        assert "currentEpoch" in injections.damage(1)
        assert epoch.read_bytes() != bytes(8)
