#!/usr/bin/env python3
# Log directories written by Kafka 3.9.1 and opened by tandem-broker, and the reverse: nothing recovered after
# a clean stop, DumpLogSegments finds no fault, offsets and an idempotent producer's sequence go on.
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    command = [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"), f"--rootdir={TESTS}",
               "--full", "-q", "-s", str(TESTS / "interop" / "test_log_swap.py")]
    code = subprocess.run(command, check=False).returncode
    print("data-swap-broker: " + ("both swaps without a fault" if code == 0 else "FELL SHORT"))
    sys.exit(code)
