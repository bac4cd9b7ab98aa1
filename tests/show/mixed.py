#!/usr/bin/env python3
# Ensembles of tandem-coord and ZooKeeper 3.9.5, 3.8 and 3.5: each in each role, every way of synchronizing,
# leaders that die under load, sessions that move, observers behind followers, syncs behind a deposed leader,
# a wrong digest that is noticed, histories under faults, brokers of Kafka's on an ensemble, kazoo's suite.
# `mixed.py [WORDS]` runs the parts with these words in their titles only, such as `roles` or `faults`.
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import shown  # noqa: E402

PARTS = {
    "roles": ("interop/test_mixed_ensemble.py",),
    "synchronization": ("interop/test_sync_paths.py",),
    "leaders that die": ("interop/test_mixed_failover.py",),
    "sessions": ("interop/test_ensemble_sessions.py",),
    "observers behind followers": ("interop/test_observer_masters.py",),
    "syncs behind a deposed leader": ("interop/test_deposed_leader.py",),
    "a wrong digest": ("interop/test_wrong_digest.py",),
    "faults": ("clients/test_ensemble_faults.py",),
    "brokers of Kafka's": ("interop/test_kafka_on_ensemble.py",),
    "kazoo's suite": ("interop/test_kazoo_suite.py", "-k", "3-"),
}


def main():
    rows = [(title, *shown.run(*arguments)) for title, arguments in PARTS.items()
            if not sys.argv[1:] or any(word in title for word in sys.argv[1:])]
    for title, count, bad in rows:
        print(f"mixed: {title}: {count} tests, {len(bad)} failed {bad or ''}")
    return 1 if not rows or any(bad or not count for _, count, bad in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
