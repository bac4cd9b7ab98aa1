"""Waiting for a condition. The only place of the tests that sleeps."""

import time


class Timeout(AssertionError):
    pass


def until(condition, timeout=30.0, what="the condition", interval=0.02):
    """Calls `condition` until it returns something true, and returns that. OSErrors count as "not yet"."""
    end = time.monotonic() + timeout
    error = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except OSError as caught:
            error = caught
        if time.monotonic() >= end:
            raise Timeout(f"{what}: not within {timeout} s" + (f" ({error})" if error else ""))
        time.sleep(interval)


def pause(seconds, why):
    """For spans that are the subject of a test itself (a session timeout, a measured second): say which."""
    if not why:
        raise ValueError("say why a span of time is waited for")
    time.sleep(seconds)


def stays(condition, seconds, what="the condition"):
    """Fails as soon as `condition` turns false within the span."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"{what} did not stay true"
        time.sleep(0.02)
