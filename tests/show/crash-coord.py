#!/usr/bin/env python3
# tandem-coord loses nothing it acknowledged: 200 cycles of kill -9 and 200 of power loss, half of them in the
# first five seconds of a directory's life. `crash-coord.py [KILLS [CUTS [SEED]]]`
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]
import coord_cycles  # noqa: E402
import cycles  # noqa: E402

if __name__ == "__main__":
    make = coord_cycles.Cycles
    sys.exit(cycles.show(("kill -9", make, False, 200), ("power loss", make, True, 200)))
