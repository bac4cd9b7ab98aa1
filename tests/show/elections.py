#!/usr/bin/env python3
# No false election in ten minutes: three tandem-coord beside four busy loops, 64 sessions with 16 writes
# under way each; nobody looks for a leader again. `elections.py [SECONDS]`
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import shown  # noqa: E402

TEST = "test_nobody_is_replaced_beside_busy_loops_and_a_write_load"


def main():
    seconds = os.environ["TANDEM_SECONDS"] = sys.argv[1] if sys.argv[1:] else "600"
    count, bad = shown.run(f"clients/test_failover.py::{TEST}")
    verdict = "no false election" if count == 1 and not bad else "FALLS SHORT"
    print(f"elections: {seconds} s beside four busy loops, writes at 64x16: {verdict}")
    return 0 if count == 1 and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
