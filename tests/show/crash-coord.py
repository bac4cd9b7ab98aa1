#!/usr/bin/env python3
# tandem-coord loses nothing it acknowledged: 200 cycles of kill -9 and 200 of power loss, half of them in the
# first five seconds of a directory's life. `crash-coord.py [KILLS [CUTS [SEED]]]`
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]
import coord_cycles  # noqa: E402


def main():
    numbers = [int(word) for word in sys.argv[1:]] + [200, 200, 1][len(sys.argv) - 1:]
    kills, cuts, seed = numbers[:3]
    failed = False
    lines = []
    for kind, power, count in (("kill -9", False, kills), ("power loss", True, cuts)):
        with tempfile.TemporaryDirectory(prefix="tandem-crash-") as directory:
            if power and not coord_cycles.loop_mounts_work(directory):
                lines.append(f"{kind}: skipped, loop mounts are not allowed here")
                continue
            tally = coord_cycles.Cycles(directory, seed, power, progress=True).run(count)
        lines.append(f"{kind}, seed {seed}: {tally.line()}")
        lines += tally.complaints
        failed = failed or tally.lost > 0 or bool(tally.complaints)
    print("\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
