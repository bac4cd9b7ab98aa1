"""zkServer.sh and its relatives, as init scripts and people call them."""

import os
import signal
import subprocess

import pytest

from support import ports, servers, wait
from support.process import alive, stop_pid


@pytest.fixture
def site(tmp_path):
    """A directory with a configuration; its server is stopped afterwards."""
    port = ports.free_port()
    config = servers.zoo_cfg(tmp_path / "conf", port, dataDir=tmp_path / "data", clientPortAddress=None)
    yield config, port
    pid_file = tmp_path / "data" / "zookeeper_server.pid"
    if pid_file.exists():
        stop_pid(int(pid_file.read_text()))


def call(site, *arguments, tool="zkServer.sh", **variables):
    environment = {**os.environ, "ZOO_LOG_DIR": str(site[0].parent / "logs"), **variables}
    result = subprocess.run(servers.tool(tool, *arguments), env=environment, capture_output=True, text=True,
                            timeout=60)
    return result.stdout, result.returncode


def pid_of(site):
    return int((site[0].parent.parent / "data" / "zookeeper_server.pid").read_text())


def test_a_server_starts_tells_its_mode_and_stops(site):
    config, port = site
    assert call(site, "start", config) == ("Starting zookeeper ... STARTED\n", 0)
    pid = pid_of(site)
    assert call(site, "status", config) == (
        f"Client port found: {port}. Client address: localhost. Client SSL: false.\nMode: standalone\n", 0)
    output, code = call(site, "start", config)
    assert (f"already running as process {pid}." in output, code) == (True, 1)
    assert call(site, "stop", config) == ("Stopping zookeeper ... STOPPED\n", 0)
    assert not alive(pid)
    output, code = call(site, "status", config)
    assert output.endswith("Error contacting service. It is probably not running.\n") and code == 1
    output, code = call(site, "stop", config)
    assert "no zookeeper to stop (could not find file" in output and code == 0


def test_restart_gives_a_new_process_with_the_old_data(site):
    config, port = site
    call(site, "start", config)
    first = pid_of(site)
    subprocess.run(servers.tool("zkCli.sh", "-server", f"{ports.HOST}:{port}", "create", "/kept", "data"),
                   check=True, capture_output=True, timeout=30)
    assert call(site, "restart", config)[1] == 0
    assert pid_of(site) != first and not alive(first)
    shown = subprocess.run(servers.tool("zkCli.sh", "-server", f"{ports.HOST}:{port}", "get", "/kept"),
                           check=True, capture_output=True, text=True, timeout=30)
    assert shown.stdout.endswith("data\n")


def test_the_configuration_is_found_by_directory_and_environment(site):
    config, _ = site
    assert call(site, "--config", config.parent, "start")[1] == 0
    assert call(site, "status", ZOOCFGDIR=str(config.parent), ZOOCFG="zoo.cfg")[1] == 0
    assert call(site, "stop", "zoo.cfg", ZOOCFGDIR=str(config.parent))[0].endswith("STOPPED\n")


def test_jvm_flags_carry_settings(site):
    config, port = site
    flags = "-Xmx1g -Dzookeeper.4lw.commands.whitelist=ruok,srvr"
    config.write_text("\n".join(line for line in config.read_text().splitlines() if "4lw" not in line))
    assert call(site, "start", config, SERVER_JVMFLAGS=flags)[1] == 0
    assert ports.four_letter_word(port, "ruok") == "imok"
    assert "not in the whitelist" in ports.four_letter_word(port, "stat")


def test_a_server_that_cannot_start_is_reported_at_once(site):
    config, _ = site
    config.write_text(config.read_text() + "tickTime=abc\n")
    output, code = call(site, "start", config)
    assert "FAILED TO START" in output and code == 1


def test_start_foreground_is_the_server_itself(site):
    config, port = site
    child = subprocess.Popen(servers.tool("zkServer.sh", "start-foreground", config),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait.until(lambda: servers.ready_zookeeper(port), 20, "the server's answer")
        assert os.readlink(f"/proc/{child.pid}/exe").endswith("tandem-coord")
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 0


def test_initialize_makes_the_directories_once(site):
    config, _ = site
    data = config.parent.parent / "data"
    arguments = (f"--configfile={config}", "--myid=3")
    assert call(site, *arguments, tool="zkServer-initialize.sh") == ("Using myid of 3\n", 0)
    assert (data / "myid").read_text() == "3\n" and (data / "version-2").is_dir()
    output, code = call(site, *arguments, tool="zkServer-initialize.sh")
    assert "already exists" in output and code == 1
    assert call(site, *arguments, "--force", tool="zkServer-initialize.sh")[1] == 0


def test_cleanup_keeps_the_newest_snapshots(site):
    config, _ = site
    data = config.parent.parent / "data" / "version-2"
    data.mkdir(parents=True)
    for number in (1, 5, 9, 13, 17):
        (data / f"snapshot.{number:x}").write_bytes(b"ZKSN" + bytes(40) + b"\0\0\0\1/")
        (data / f"log.{number + 1:x}").write_bytes(b"ZKLG" + bytes(40))
    output, code = call(site, "-n", "3", tool="zkCleanup.sh", ZOOCFGDIR=str(config.parent))
    assert code == 0 and output.count("Removing file: ") >= 2
    kept = sorted(path.name for path in data.glob("snapshot.*"))
    assert kept == ["snapshot.11", "snapshot.9", "snapshot.d"]
    assert call(site, "-n", "2", tool="zkCleanup.sh", ZOOCFGDIR=str(config.parent))[1] == 1
