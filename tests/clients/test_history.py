"""The checkers of histories: a good one passes, and each rule finds the history that breaks it."""

import pytest

from support.history import History, Read, Told, Write


def good():
    history = History()
    history.writes = [Write("/a", b"1", 1.0, 2.0, 0x11, 1), Write("/a", b"2", 3.0, 4.0, 0x12, 2),
                      Write("/a", b"3", 5.0), Write("/b", b"4", 5.5, 6.0, 0x14, 1), Write("/b", b"5", 7.0)]
    history.reads = [Read(7, "/a", b"2", 0x12, 0x12, 4.1, 4.2, 4.0),
                     Read(7, "/a", b"3", 0x13, 0x14, 6.5, 7.0, 6.4),
                     Read(8, "/a", b"1", 0x11, 0x11, 6.5, 7.0)]
    history.stories = {7: [Told("reply", 0x12), Told("watch", 0x12, "/a"), Told("event", key="/a"),
                           Told("reply", 0x14)], 8: [Told("reply", 0x11), Told("watch", 0x11, "/a")]}
    return history


def test_a_good_history_passes():
    assert good().violations() == []


def two_writes_at_once(history):
    history.writes[0].zxid = 0x12


def time_runs_backwards(history):
    history.writes[0].zxid, history.writes[1].zxid = 0x12, 0x11


def a_version_comes_twice(history):
    history.writes[1].version = 1


def a_value_nobody_wrote_there(history):
    history.reads[0].value = b"1"


def a_read_from_the_future(history):
    history.reads.append(Read(9, "/b", b"5", 0x15, 0x15, 6.1, 6.2))


def a_read_that_skips_a_write(history):
    history.reads[2].zxid = 0x12


def a_stale_read_after_a_sync(history):
    history.reads[2].synced = 6.4


def a_synced_read_older_than_another(history):
    history.reads.append(Read(9, "/a", b"2", 0x12, 0x12, 8.1, 8.2, 8.0))


def a_session_that_goes_back(history):
    history.stories[8] += [Told("reply", 0x10)]


def a_watch_that_is_forgotten(history):
    del history.stories[7][2]


def a_watch_that_comes_too_late(history):
    history.stories[7].reverse()
    history.stories[7] = [history.stories[7][index] for index in (3, 2, 0, 1)]


BROKEN = [
    (two_writes_at_once, "writes_in_real_time"), (time_runs_backwards, "writes_in_real_time"),
    (a_version_comes_twice, "versions_count"), (a_value_nobody_wrote_there, "reads_show_what_was_written"),
    (a_read_from_the_future, "reads_show_what_was_written"),
    (a_read_that_skips_a_write, "reads_show_what_was_written"),
    (a_stale_read_after_a_sync, "synced_reads_are_fresh"),
    (a_synced_read_older_than_another, "synced_reads_are_fresh"),
    (a_session_that_goes_back, "sessions_go_forward"), (a_watch_that_is_forgotten, "no_watch_is_lost"),
    (a_watch_that_comes_too_late, "no_watch_is_lost"),
]


@pytest.mark.parametrize("break_it, rule", BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_history_is_rejected(break_it, rule):
    history = good()
    break_it(history)
    assert any(found.startswith(rule) for found in history.violations())
