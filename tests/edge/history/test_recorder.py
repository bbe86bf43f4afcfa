import contextlib
import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from helpers.support import UNSHARE, floats, wait_for

from edge.history import store
from edge.config import History
from edge.answer import STATES, Answer
from edge.errors import EdgeError
from edge.stats import Stats
from edge.outputs.output import history
from edge.history.recorder import HistoryOutput
from edge.history.store import Segment

HEALTH = Stats("a microphone")
KILLS = 20  # of a file, for reading all of it takes longer after each


def played(label: str, t: float, confidence: float = 0.9) -> Answer:
    return Answer(t, "music", label, confidence)


def rows(path: Path) -> list[Segment]:
    """None as long as nothing was written."""
    try:
        with store.open_to_read(path) as connection:
            return store.read(connection, float("-inf"), float("inf"))
    except EdgeError as error:
        if any(words in str(error) for words in ("nothing was written", "No such file")):
            return []
        raise


def stored(path: Path, answers: list[Answer], clock: Callable[[], float] | None = None) -> list[Segment]:
    """The rows that the answers become; the wall clock goes with theirs unless told."""
    times = iter([1.7e9, *(1.7e9 + answer.t for answer in answers)])
    output = HistoryOutput(History(str(path)), clock or (lambda: next(times)))
    output.start()
    for answer in answers:
        output.show(answer, HEALTH)
    output.close()
    return rows(path)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[HistoryOutput]:
    output = HistoryOutput(History(str(path)))
    output.start()
    try:
        yield output
    finally:
        output.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    caplog.set_level(logging.INFO, "edge")
    return lambda level: [record.getMessage() for record in caplog.records if record.levelno == level]


# What a row is


def test_equal_answers_are_one_row_and_its_confidence_is_the_mean_over_time(path: Path) -> None:
    (row,) = stored(path, [played("jazz", 1, 0.5), played("jazz", 2, 0.5), played("jazz", 4, 0.9)], lambda: 1000.0)
    assert (row.began, row.seconds, row.state, row.label, row.device) == (999, 4, "music", "jazz", "a microphone")
    assert row.confidence == pytest.approx(0.7)


def test_another_label_is_another_row(path: Path) -> None:
    answers = [played("jazz", 1), played("rock", 2), Answer(3, "silence"), Answer(5, "lost"), played("jazz", 6)]
    kept = [(row.label or row.state, row.seconds) for row in stored(path, answers)]
    assert kept == [("jazz", 1), ("rock", 1), ("silence", 1), ("lost", 2), ("jazz", 1)]


def test_another_device_is_another_row(path: Path) -> None:
    with writing(path) as output:
        output.show(played("jazz", 1), Stats("one"))
        output.show(played("jazz", 2), Stats("two"))
    assert [row.device for row in rows(path)] == ["one", "two"]


def test_warming_up_is_not_kept(path: Path) -> None:
    answers = [Answer(3, "warming"), played("jazz", 4), Answer(5, "warming"), played("jazz", 6)]
    assert [(row.label, row.seconds) for row in stored(path, answers)] == [("jazz", 1), ("jazz", 1)]


@pytest.mark.parametrize("jump", [-1e9, -86_400, -60, 60, 86_400, 1e9])
def test_a_wall_clock_that_jumps_moves_what_follows_and_changes_no_length(path: Path, jump: float) -> None:
    answers = [played("jazz", t) for t in range(1, 21)]
    clock = iter([1.7e9, *(1.7e9 + t + (jump if t > 10 else 0) for t in range(1, 21))])
    before, after = sorted(stored(path, answers, lambda: next(clock)), key=lambda row: row.number)
    assert (before.began, before.seconds) == (1.7e9, 10)
    assert (after.began, after.seconds) == (1.7e9 + jump + 10, 10)


def test_a_clock_that_is_moved_gently_cuts_nothing(path: Path) -> None:
    clock = iter(range(1000, 3000, 2))  # twice as fast as the audio
    (row,) = stored(path, [played("jazz", t) for t in range(1, 101)], lambda: next(clock))
    assert row.seconds == 100


def test_a_device_name_that_is_no_text_is_kept_as_far_as_it_goes(path: Path) -> None:
    with writing(path) as output:
        output.show(played("jazz", 1), Stats(os.fsdecode(b"mic \xff")))
    assert rows(path)[0].device == "mic ?"


answer_lists = st.lists(
    st.tuples(
        floats(0, 60),
        st.sampled_from([(s, None) for s in STATES if s != "music"] + [("music", s) for s in ("jazz", "rock")]),
        floats(0, 1),
        st.sampled_from([0, 0, 0, 0, 1e8, -1e8]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(answer_lists)
def test_the_stored_seconds_add_up_to_what_was_shown(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, tuple[str, str | None], float, float]]
) -> None:
    path = tmp_path_factory.mktemp("sum") / "history.db"
    t, jumped, shown = 0.0, 0.0, defaultdict(float)
    output = HistoryOutput(History(str(path)), lambda: 1.7e9 + t + jumped)
    output.start()
    for seconds, (state, label), confidence, jump in steps:
        t, jumped = t + seconds, jumped + jump
        shown[state, label] += seconds
        output.show(Answer(t, state, label, confidence), HEALTH)
    output.close()
    shown.pop(("warming", None), None)
    kept = defaultdict(float)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for state, label, seconds, confidence in connection.execute(
            "SELECT state, label, seconds, confidence FROM stretch"
        ):
            assert seconds >= 0
            assert -1e-9 <= confidence <= 1 + 1e-9
            kept[state, label] += seconds
    assert set(kept) == set(shown)
    assert all(kept[key] == pytest.approx(shown[key]) for key in shown)


# When it is written


def test_a_stretch_is_in_the_file_as_soon_as_it_begins(path: Path) -> None:
    with writing(path) as output:
        output.show(played("jazz", 1), HEALTH)
        wait_for(lambda: [row.label for row in rows(path)] == ["jazz"])


def test_a_stretch_that_goes_on_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "UPDATE_SECONDS", 0.1)
    with writing(path) as output:
        for t in range(1, 10):
            output.show(played("jazz", t), HEALTH)
            wait_for(lambda t=t: [row.seconds for row in rows(path)] == [t])


def test_a_stretch_that_goes_on_costs_few_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    monkeypatch.setattr(store, "write", lambda connection, batch: batches.append(batch) if batch else None)
    with writing(path) as output:
        for t in range(1, 1000):
            output.show(played("jazz", t), HEALTH)
            time.sleep(0.0005)
    assert len(batches) <= 3


def test_after_close_the_history_is_one_file(path: Path) -> None:
    stored(path, [played("jazz", 1)])
    assert list(path.parent.iterdir()) == [path]


def test_two_writers_share_a_file(path: Path) -> None:
    with writing(path) as one, writing(path) as two:
        for t in range(1, 30):
            one.show(played("jazz", t), HEALTH)
            two.show(played(f"rock {t}", t), HEALTH)
    assert len(rows(path)) == 1 + 29


def test_a_history_that_is_deleted_meanwhile_is_begun_anew(path: Path) -> None:
    with writing(path) as output:
        output.show(played("jazz", 1), HEALTH)
        wait_for(lambda: bool(rows(path)))
        path.unlink()
        output.show(played("rock", 2), HEALTH)
        wait_for(path.exists)
        output.show(played("blues", 3), HEALTH)
    assert "blues" in [row.label for row in rows(path)]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# What is refused


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("my diary\n" * 1000)
    with pytest.raises(EdgeError, match=r"history\.db: is no SQLite database"):
        HistoryOutput(History(str(path)))
    assert path.read_text() == "my diary\n" * 1000


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(EdgeError, match=r"history\.db: is the database of another program"):
        HistoryOutput(History(str(path)))
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    stored(path, [played("jazz", 1)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {store.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(EdgeError, match=r"newer edge-listen \(history version 2, this one knows 1\)"):
        HistoryOutput(History(str(path)))
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.touch()
    assert [row.label for row in stored(path, [played("jazz", 1)])] == ["jazz"]


# What may pass


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (".", "is a folder"),
        ("file/history.db", "there is no such folder"),
        ("later/history.db", "there is no such folder"),
    ],
)
def test_a_file_that_cannot_be_opened_is_said_once_and_never_raises(
    tmp_path: Path, said: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch, where: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(history, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(history, "CLOSE_SECONDS", 1.2)
    with writing(tmp_path / where) as output:
        for t in range(1, 20):
            output.show(played(f"label {t}", t), HEALTH)
            time.sleep(0.01)
    once, lost = said(logging.WARNING)
    assert once.startswith(f"history {tmp_path / where}: {reason}")
    assert "19 store could not be written" in lost


def test_what_was_heard_before_the_folder_was_there_is_written_when_it_is(
    tmp_path: Path, said: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FIRST_RETRY_SECONDS", 0.02)
    path = tmp_path / "usb" / "history.db"
    with writing(path) as output:
        output.show(played("jazz", 1), HEALTH)
        wait_for(lambda: bool(said(logging.WARNING)))
        path.parent.mkdir()
        wait_for(path.exists)
    assert [row.label for row in rows(path)] == ["jazz"]
    assert said(logging.INFO) == [f"history {path}: back"]


def test_a_lock_of_another_program_is_waited_for_elsewhere(path: Path, said: Callable[[int], list[str]]) -> None:
    stored(path, [played("jazz", 1)])
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(); input()"
    other = subprocess.Popen([sys.executable, "-uc", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout
    other.stdout.readline()
    with writing(path) as output:
        longest = 0.0
        for t in range(1, 200):
            before = time.monotonic()
            output.show(played(f"label {t}", t), HEALTH)
            longest = max(longest, time.monotonic() - before)
            time.sleep(0.015)
        other.communicate(b"\n")
        wait_for(lambda: len(rows(path)) == 200)
    assert longest < 0.5
    (warning,) = said(logging.WARNING)
    assert "another program has locked it" in warning
    assert said(logging.INFO) == [f"history {path}: back"]


def test_close_gives_up_after_a_few_seconds(path: Path, said: Callable[[int], list[str]]) -> None:
    stored(path, [played("jazz", 1)])
    output = HistoryOutput(History(str(path)))
    output.start()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        output.show(played("jazz", 1), HEALTH)
        before = time.monotonic()
        output.close()
        assert time.monotonic() - before < history.CLOSE_SECONDS + 1
    assert "1 store could not be written and are lost" in said(logging.WARNING)[-1]


def test_what_waits_is_bounded_and_the_oldest_goes(
    tmp_path: Path, said: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FIRST_RETRY_SECONDS", 0.3)
    monkeypatch.setattr(history, "MOST_WAITING", 10)
    path = tmp_path / "later" / "history.db"
    with writing(path) as output:
        for t in range(1, 26):
            output.show(played(f"label {t}", t), HEALTH)
        path.parent.mkdir()
        wait_for(path.exists)
    assert [row.label for row in rows(path)] == [f"label {t}" for t in range(16, 26)]
    assert f"history {path}: the oldest 15 store that waited are lost" in said(logging.WARNING)


def test_a_database_that_is_damaged_meanwhile_is_said_and_survived(
    path: Path, said: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CLOSE_SECONDS", 1.2)
    stored(path, [played(f"label {t}", t) for t in range(1, 500)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with writing(path) as output:
        output.show(played("jazz", 1), HEALTH)
    warning, lost = said(logging.WARNING)
    assert warning.startswith(f"history {path}: the database is damaged")
    assert "are lost" in lost


# Real trouble: a full disk, a kill, a power cut

FULL_DISK = """
import logging, resource, sys, time
from pathlib import Path
from edge.config import History
from edge.decision import Answer
from edge.stats import Stats
from edge.outputs import history
from edge.history.recorder import HistoryOutput

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.INFO)
history.FIRST_RETRY_SECONDS = 0.05
history.LONGEST_RETRY_SECONDS = 0.05
file, how = Path(sys.argv[1]), sys.argv[2]
ballast = file.with_name("ballast")


def fill():
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    else:
        with ballast.open("wb", buffering=0) as out:
            try:
                while out.write(bytes(512)):
                    pass
            except OSError:
                pass


def empty():
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        ballast.unlink()


output = HistoryOutput(History(str(file)))
output.start()
for t in range(1, 1001):
    if t == 100:
        time.sleep(0.3)
        fill()
    if t == 900:
        time.sleep(0.3)
        empty()
        time.sleep(0.3)
    output.show(Answer(t, "music", f"label {t}", 0.5), Stats("x"))
    time.sleep(0.0005)
output.close()
import sqlite3
print(sqlite3.connect(file).execute("SELECT count(DISTINCT label) FROM stretch").fetchone())
print(sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone())
"""


def full_disk(how: str, file: Path, *before: str) -> None:
    done = subprocess.run([*before, sys.executable, "-c", FULL_DISK, file, how], capture_output=True, text=True)
    assert done.stderr == ""
    warning, back, count, whole = done.stdout.splitlines()
    reason = "the disk is full" if how == "disk" else "the disk refuses to read or write"
    assert warning == f"WARNING history {file}: {reason}, what is heard waits in memory; trying again"
    assert back == f"INFO history {file}: back"
    assert (count, whole) == ("(1000,)", "('ok',)")


def test_a_limit_on_the_size_of_files_is_said_and_survived(path: Path) -> None:
    full_disk("limit", path)


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    mount = (*UNSHARE, "sh", "-c", 'mount -t tmpfs -o size=8m none "$0" && exec "$@"', str(tmp_path))
    try:
        subprocess.run([*mount, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small file system can be mounted here")
    full_disk("disk", tmp_path / "history.db", *mount)


FORKS = """
import os, signal, sys, time
from edge.config import History
from edge.decision import Answer
from edge.stats import Stats
from edge.history.recorder import HistoryOutput

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
parent = os.getpid()
for _ in sys.stdin:  # importing is slow, so one process imports, and its forks are killed
    if pid := os.fork():
        print(pid, flush=True)
        continue
    output = HistoryOutput(History(sys.argv[1]))
    output.start()
    t = 0
    while os.getppid() == parent:
        output.show(Answer(t, "music", f"label {t // 3}", 0.5), Stats("x"))
        time.sleep(0.0005)
        t += 1
    os._exit(1)
"""


def committed(path: Path) -> dict[tuple[int, int], float]:
    return {(row.run, row.number): row.seconds for row in rows(path)}


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_writer_damages_nothing_and_takes_nothing_back(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    parent = subprocess.Popen([sys.executable, "-c", FORKS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin
    assert parent.stdout
    known: dict[tuple[int, int], float] = {}
    for kill in range(KILLS):
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        pid = int(parent.stdout.readline())
        runs = len({run for run, _ in known})

        def has_written(runs: int = runs) -> bool:
            with contextlib.suppress(EdgeError):  # not there yet
                known.update(committed(path))
            return len({run for run, _ in known}) > runs

        wait_for(has_written)
        time.sleep(rng.uniform(0.02, 0.15))
        known.update(committed(path))
        os.kill(pid, 9)
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists())
        after = committed(path)
        assert all(after[key] >= seconds for key, seconds in known.items())
        # Every other time the next writer is the first to find what the killed one has left.
        check = contextlib.closing(sqlite3.connect(path)) if kill % 2 else store.open_to_read(path)
        with check as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    parent.communicate()
    assert len({run for run, _ in known}) == KILLS


def test_a_power_cut_costs_the_last_rows_and_no_more(path: Path, tmp_path: Path) -> None:
    """What a cut leaves of the write-ahead log is its beginning: any beginning is a whole database."""
    rng = random.Random(0)
    with writing(path) as output:
        for t in range(1, 200):
            output.show(played(f"label {t}", t), HEALTH)
            time.sleep(0.001)
        wait_for(lambda: len(rows(path)) == 199)
        (log,) = path.parent.glob("*-wal")
        file, wal = path.read_bytes(), log.read_bytes()
    torn = tmp_path / "torn"
    torn.mkdir()
    counts = []
    for length in sorted(rng.randrange(len(wal)) for _ in range(60)):
        (torn / path.name).write_bytes(file)
        (torn / log.name).write_bytes(wal[:length])
        with contextlib.closing(sqlite3.connect(torn / path.name)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                numbers = [n for (n,) in connection.execute("SELECT number FROM stretch ORDER BY number")]
                assert numbers == list(range(1, len(numbers) + 1))
                counts.append(len(numbers))
        shutil.rmtree(torn)
        torn.mkdir()
    assert counts == sorted(counts)
    assert counts[-1] > 150
