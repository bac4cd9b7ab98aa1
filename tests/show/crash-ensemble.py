#!/usr/bin/env python3
# An ensemble of three loses nothing it acknowledged: 50 cycles of kill -9 of all, 100 of a random server, 200
# of power loss of all, half of them in the first five seconds of life.
# `crash-ensemble.py [ALL [ONE [CUTS [SEED]]]]`
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]
import cycles  # noqa: E402
import ensemble_cycles  # noqa: E402

if __name__ == "__main__":
    sys.exit(cycles.show(("kill -9 of all", ensemble_cycles.Cycles, False, 50),
                         ("kill -9 of one", ensemble_cycles.OneDies, False, 100),
                         ("power loss of all", ensemble_cycles.Cycles, True, 200)))
