"""tandem-coord loses nothing it acknowledged: kill -9, power cuts, a dying disk, a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import coord_cycles  # noqa: E402
import cycles  # noqa: E402
from support import servers, wait, zk_wire  # noqa: E402

COUNT = cycles.count(10)


def test_kill_9_loses_nothing_acknowledged(tmp_path, seed):
    cycles.check(coord_cycles.Cycles(tmp_path, seed, power=False).run(COUNT), "kill -9", seed)


def test_a_power_cut_loses_nothing_acknowledged(tmp_path, seed):
    if not cycles.loop_mounts_work(tmp_path):
        pytest.skip("loop mounts are not allowed here")
    cycles.check(coord_cycles.Cycles(tmp_path, seed, power=True).run(COUNT), "power", seed)


def test_a_failed_sync_ends_the_process_and_acknowledges_nothing(new_coord):
    server = new_coord()
    before = zk_wire.Session(server.port)
    assert before.create("/before", b"1") == 0
    command = ["strace", "-f", "-q", "-p", str(server.pid), "-e", "trace=fdatasync",
               "-e", "inject=fdatasync:error=EIO", "-o", os.devnull]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait.until(lambda: traced(server.pid), 20, "strace")
        with pytest.raises((ConnectionError, OSError)):
            assert before.create("/after", b"2") != 0, "acknowledged though its sync failed"
            before.create("/after2", b"2")
        assert server.wait(20) == 1
    finally:
        tracer.terminate()
        tracer.wait(20)
    assert "unrecoverable" in server.log() and "fdatasync" in server.log()
    server.start()
    after = zk_wire.Session(server.port)
    assert after.get("/before") == b"1"


def traced(pid):
    threads = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0" not in (thread / "status").read_text() for thread in threads)


def test_a_full_disk_refuses_writes_serves_reads_and_recovers_without_a_restart(tmp_path):
    disk = cycles.Ext4Image(tmp_path)
    try:
        disk.format(mib=24)
    except (cycles.NoLoopMounts, OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"loop mounts are not allowed here ({error})")
    filler = disk.mount_point / "filler"
    config = {"dataDir": disk.mount_point / "data", "tickTime": 500}
    server = servers.Coord(tmp_path / "server", config=config)
    try:
        server.start()
        fill_up(server, disk, filler)
    finally:
        server.kill()
        disk.unmount()


def fill_up(server, disk, filler):
    session = zk_wire.Session(server.port)
    data = b"d" * 4000
    short = zk_wire.Session(server.port, timeout_ms=1000)
    assert short.create("/ephemeral", b"mine", zk_wire.EPHEMERAL) == 0
    good = 0
    while session.create(f"/n{good}", data) == 0:
        short.ping()  # it must live until the disk is full, however long that takes
        good += 1
        if good == 50:
            cycles.fill(filler)
        assert good < 10000, "the disk never became full"
    assert good >= 50
    error, _ = session.ask(zk_wire.CREATE, zk_wire.create("/more", data))
    assert error == -1
    assert session.get("/n0") == data
    assert server.word("ruok") == "imok"
    with pytest.raises(ConnectionError):
        zk_wire.Session(server.port)  # a session is a transaction
    wait.pause(3, "the timeout of the short session, thrice")
    assert server.running
    assert session.get("/ephemeral") == b"mine", "a session expired while the disk was full"
    filler.unlink()

    def writes_again():
        return session.create("/after", b"1") == 0

    wait.until(writes_again, 20, "writes after there is space again")
    assert server.running
    server.kill()
    server.start()
    again = zk_wire.Session(server.port)
    assert again.get("/after") == b"1"
    assert all(again.get(f"/n{i}") == data for i in range(good))
    assert again.get("/more") is None
