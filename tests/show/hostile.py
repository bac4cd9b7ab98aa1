#!/usr/bin/env python3
# Random bytes, lengths of 0x7fffffff, 2,000 half-open connections, readers that never read: memory bounded,
# good clients served all along, and the sanitizers silent (a second run, on the build of ./dev asan).
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import hostile, servers  # noqa: E402

SCALE = 5
SEED = 1
GROWTH_MIB_MAX = 300


def attacked(directory, build, bounded):
    """Whether both servers of a build bear it. ASan keeps freed memory: there only its silence counts."""
    os.environ["TANDEM_BUILD"] = str(build)
    good = True
    with servers.Coord(Path(directory) / "coord") as coord:
        with servers.Broker(Path(directory) / "broker", coord.connect) as broker:
            for target in (hostile.CoordTarget(coord), hostile.BrokerTarget(broker)):
                seen = hostile.attack(target, SCALE, SEED)
                held = seen["peak_mib"] - seen["first_mib"] <= GROWTH_MIB_MAX or not bounded
                fine = target.server.running and seen["failed"] == 0 and held and seen["asked"] > 100
                good = good and fine
                print(f"{target.name} ({build.name}): {seen} {'ok' if fine else 'FELL SHORT'}", flush=True)
            for server in (broker, coord):  # leaks are told of at the end
                code = server.stop(60)
                silent = code == 0 and "Sanitizer" not in server.log() and "runtime error" not in server.log()
                good = good and silent
                print(f"{server.name} ({build.name}) stopped: exit {code}, sanitizers "
                      f"{'silent' if silent else 'NOT SILENT'}", flush=True)
    return good


def main():
    good = True
    for name, bounded in (("release", True), ("asan", False)):
        build = servers.ROOT / "build" / name
        if not (build / "broker" / "tandem-broker").exists():
            print(f"no {name} build of the servers: first ./dev build and ./dev asan")
            good = False
            continue
        with tempfile.TemporaryDirectory(prefix="tandem-hostile-") as directory:
            good = attacked(directory, build, bounded) and good
    print("hostile: " + ("good clients were served all along" if good else "FELL SHORT"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
