#!/usr/bin/env python3
# Three brokers over three coordination servers lose nothing they acknowledged, and nothing is there twice:
# 100 cycles of kill -9 of a random one of the six, 50 of all, 100 of power loss of all with
# tandem.log.flush.on.ack=true. `crash-cluster.py [ONE [ALL [CUTS [SEED]]]]`
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]
import cluster_cycles  # noqa: E402
import cycles  # noqa: E402

if __name__ == "__main__":
    sys.exit(cycles.show(("kill -9 of one", cluster_cycles.OneDies, False, 100),
                         ("kill -9 of all", cluster_cycles.Cycles, False, 50),
                         ("power loss of all", cluster_cycles.Cycles, True, 100)))
