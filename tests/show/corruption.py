#!/usr/bin/env python3
# Damage in one server's logs, snapshots and epoch files (flip, zero, truncate) never harms an ensemble
# of three: no wrong read, no lost write, mended by itself. `corruption.py [COUNT [SEED]]`; else 200.
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]
import corruption  # noqa: E402

if __name__ == "__main__":
    count, seed = [int(word) for word in sys.argv[1:]] + [200, 1][len(sys.argv) - 1:]
    with tempfile.TemporaryDirectory(prefix="tandem-corruption-") as directory:
        tally = corruption.Injections(directory, seed, progress=True).run(count)
    for text in tally.refused + tally.wrong + tally.lost:
        print(text)
    print(f"seed {seed}: {tally.line()}")
    sys.exit(bool(tally.wrong or tally.lost or len(tally.refused) > tally.injections // 100))
