#!/usr/bin/env python3
# Speed, memory and stalls beside Apache servers and floors of the machine in one run: every gate holds.
# Options go to tests/bench/run.py (--part coord, --rounds 3 ...).
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    script = Path(__file__).resolve().parents[1] / "bench" / "run.py"
    sys.argv = [str(script), "--gates", "--rounds", "5", *sys.argv[1:]]
    runpy.run_path(str(script), run_name="__main__")
