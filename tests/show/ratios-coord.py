#!/usr/bin/env python3
# tandem-coord beside ZooKeeper 3.9.5 and the machine's floor, in one run: rates, memory, start, stalls, with
# the gates. `ratios-coord.py [ROUNDS [SECONDS]]`; the generator of ../shared/bench is used too where it is.
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peers import peers  # noqa: E402
from support import ports, servers, wait  # noqa: E402

SHARED = ROOT.parent / "shared" / "bench" / "zkload.cpp"
# op, sessions, in flight, at least of the peer, at least of the floor
GATES = [("get", 1, 1, None, 0.8), ("get", 64, 16, 10, 0.5),
         ("set", 1, 1, None, 0.85), ("set", 64, 16, 5, None)]


def rate(program, address, op, sessions, depth, seconds):
    command = [program, "run", "--servers", address, "--op", op, "--conns", sessions, "--depth", depth,
               "--time", seconds, "--warmup", 1]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=300)
    return float(re.search(r"ops/s=(\d+)", done.stdout).group(1))


def floor_rate(program, work, op, sessions, depth, seconds):
    port = ports.free_port()
    log = ["--log", str(work / "null.log")] if op == "set" else []
    null = subprocess.Popen([program, "null", "--port", str(port), "--time", "300", *log],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listening = ["ss", "-Hltn", f"sport = :{port}"]
        wait.until(lambda: subprocess.run(listening, capture_output=True).stdout, 30, "the null server")
        return rate(program, f"{ports.HOST}:{port}", op, sessions, depth, seconds)
    finally:
        null.kill()
        null.wait()


def with_shared_generator(rounds, seconds):
    """The four rates again, by the generator that the gates are judged with."""
    work = Path(tempfile.mkdtemp(prefix="tandem-ratios-"))
    program = str(work / "zkload")
    subprocess.run(["g++", "-O2", "-std=c++20", str(SHARED), "-o", program, "-lpthread"], check=True)
    limits = {"maxClientCnxns": 0}
    missed = 0
    with servers.Coord(work / "ours", config=limits) as ours, \
            peers.ApacheZooKeeper(work / "peer", config=limits, heap="4g") as peer:
        for server in (ours, peer):
            subprocess.run([program, "fill", "--servers", server.connect, "--nodes", "1000"], check=True,
                           stdout=subprocess.DEVNULL)
        for op, sessions, depth, of_peer, of_floor in GATES:
            figures = [(rate(program, ours.connect, op, sessions, depth, seconds),
                        rate(program, peer.connect, op, sessions, depth, seconds),
                        floor_rate(program, work, op, sessions, depth, seconds)) for _ in range(rounds)]
            a, b, c = (sorted(column)[len(column) // 2] for column in zip(*figures))
            ok = a >= (of_peer or 0) * b and a >= (of_floor or 0) * c
            missed += not ok
            print(f"{op} {sessions}x{depth}: {a:,.0f}/s, ZooKeeper {b:,.0f}/s ({a / b:.2f}x), "
                  f"floor {c:,.0f}/s ({a / c:.2f}){'' if ok else '  MISSED'}", flush=True)
    shutil.rmtree(work, ignore_errors=True)
    return missed


def main():
    rounds, seconds = (sys.argv[1:] + ["3", "2"][len(sys.argv) - 1:])[:2]
    missed = with_shared_generator(int(rounds), seconds) if SHARED.exists() else 0
    driver = str(ROOT / "tests" / "bench" / "run.py")
    command = [sys.executable, driver, "--part", "coord", "--part", "memory", "--rounds", rounds,
               "--seconds", seconds, "--gates"]
    code = subprocess.run(command).returncode
    print("all gates held" if code == 0 and missed == 0 else "some gates were missed")
    return 1 if code != 0 or missed else 0


if __name__ == "__main__":
    sys.exit(main())
