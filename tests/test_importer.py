"""The entrance: what comes in is kept, accounted for, and imported once."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import zstandard
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest import importer, loader
from archive.ingest.loader import Outcome
from archive.models import Article, Comment, Mention, Outbox, Source

ROOT = Path(__file__).parents[1]
REAL = sorted((ROOT.parent / "shared" / "source").glob("*.txt"))
SAMPLE = next((ROOT / "archive" / "samples").glob("*.txt"))
PAGE = "\n".join(
    [
        "Council votes to end the last night bus",
        "The council of Northfield voted on Tuesday to withdraw the N7, said Tom Adeyemi, who chairs the committee.",
        "The service will end on the last day of April, according to a report published on Monday.",
        "I have taken that bus for eleven years and nobody asked me!!",
        "lol they never ask anyone",
        "So who is going to pay for the taxis then?",
    ]
)


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and output of ``import_source``, in this process and its transaction."""
    out = StringIO()
    try:
        call_command("import_source", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def alone(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with no database to talk to."""
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "manage.py", "import_source", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, input=stdin, capture_output=True)


@pytest.fixture
def saved_page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text(PAGE)
    return path


@pytest.mark.django_db
def test_a_page_is_imported(saved_page: Path) -> None:
    status, told = run(str(saved_page))
    assert (status, Article.objects.count()) == (0, 1)
    assert Comment.objects.count() == Article.objects.get().comment_count > 0
    assert "1 discussion: 1 created, 0 updated, 0 unchanged, 0 rejected" in told


@pytest.mark.django_db
def test_what_was_received_is_kept_byte_for_byte(saved_page: Path) -> None:
    run(str(saved_page))
    content = Source.objects.get().content
    assert content is not None
    assert zstandard.decompress(bytes(content)) == saved_page.read_bytes()


@pytest.mark.django_db
def test_the_same_file_twice_and_renamed_changes_nothing(saved_page: Path) -> None:
    run(str(saved_page))
    before = list(Comment.objects.values()), Outbox.objects.count()
    renamed = saved_page.rename(saved_page.with_name("other.txt"))
    status, told = run(str(renamed))
    assert (status, list(Comment.objects.values()), Outbox.objects.count()) == (0, *before)
    assert "already imported as page.txt" in told


@pytest.mark.django_db
def test_a_killed_import_is_finished_by_the_next_one(saved_page: Path) -> None:
    source = importer.receive(saved_page.read_bytes(), name="page.txt")  # and then nothing more
    report = importer.import_source(saved_page.read_bytes(), name="page.txt")
    source.refresh_from_db()
    assert (report.outcome, source.state, Article.objects.count()) == ("created", "done", 1)


@pytest.mark.django_db
def test_an_upload_is_imported_by_the_worker(saved_page: Path) -> None:
    source = importer.receive(saved_page.read_bytes(), name="page.txt")
    report = importer.import_received(source.pk, site="Courier")
    source.refresh_from_db()
    assert (report.outcome, source.report["outcome"], Article.objects.get().site.name) == (
        "created", "created", "Courier",
    )  # fmt: skip


@pytest.mark.django_db
def test_a_job_that_runs_twice_changes_nothing(saved_page: Path) -> None:
    source = importer.receive(saved_page.read_bytes(), name="page.txt")
    importer.import_received(source.pk, site="Courier")
    before = list(Article.objects.values())
    assert importer.import_received(source.pk, site="Courier").outcome == "unchanged"
    assert list(Article.objects.values()) == before


@pytest.mark.django_db
def test_an_upload_that_cannot_be_read_says_why() -> None:
    source = importer.receive(b"\x89PNG\r\n\x1a\n\0\0\0\0", name="photo.png")
    importer.import_received(source.pk, site="Courier")
    source.refresh_from_db()
    assert source.state == Source.State.REJECTED
    assert "PNG" in source.report["reason"]


@pytest.mark.django_db
def test_an_error_of_ours_does_not_leave_an_upload_running(saved_page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = importer.receive(saved_page.read_bytes(), name="page.txt")
    with monkeypatch.context() as broken:
        broken.setattr(loader, "store", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            importer.import_received(source.pk, site="Courier")
    source.refresh_from_db()
    assert (source.state, "import it again" in source.report["reason"]) == (Source.State.REJECTED, True)
    assert importer.import_received(source.pk, site="Courier").outcome == "created"


BAD = {
    "empty": b"",
    "blank": b"  \n\t\r\n ",
    "binary": b"\x7fELF\0\0\0\1\2\3" * 40,
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_line_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    status, told = run("--quiet", str(path))
    assert (status, told.count("\n"), Source.objects.count()) == (1, 1, 0)
    assert told.startswith(f"{name}: rejected: ")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"just one line", "one line"),
        (PAGE.replace("!!", " \u2014 caf\u00e9").encode("cp1252"), "cp1252"),
        (PAGE.replace("bus", "b\0s").encode(), "NUL"),
        (PAGE.replace("bus", "b\ud800s").encode("utf-8", "surrogatepass"), "surrogate"),
    ],
)
def test_odd_input_is_imported_and_said(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(content)
    status, told = run(str(path))
    assert (status, Article.objects.count()) == (0, 1)
    assert words in told


@pytest.mark.django_db
def test_a_paragraph_of_a_megabyte_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(PAGE + "\n" + "word " * 200_000)
    assert run(str(path))[0] == 0


@pytest.mark.django_db
def test_line_ends_of_every_kind_give_the_same_discussion(tmp_path: Path) -> None:
    for number, end in enumerate(("\n", "\r\n", "\r")):
        (tmp_path / f"{number}.txt").write_bytes(PAGE.replace("\n", end).encode())
        run(str(tmp_path / f"{number}.txt"))
    assert len(set(Article.objects.values_list("body", "comment_count"))) == 1


def test_300_mb_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    done = alone("--dry-run", str(path))
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 1)
    assert b"too large: 300 MB" in done.stdout


def test_a_folder_and_a_missing_file_get_one_line_each(tmp_path: Path) -> None:
    done = alone("--dry-run", str(tmp_path), str(tmp_path / "none.txt"))
    first, second = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert "is a folder" in first
    assert "no such file" in second


@pytest.mark.parametrize("arguments", [[], ["--format", "nonsense", "x"], ["--no-such-option", "x"]])
def test_unusable_arguments_exit_2(arguments: list[str]) -> None:
    assert alone(*arguments).returncode == 2


def test_a_database_that_does_not_answer_is_said_in_one_line(saved_page: Path) -> None:
    done = alone(str(saved_page))
    assert done.returncode == 2
    assert b"make demo" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_dry_run_needs_no_database(saved_page: Path) -> None:
    done = alone("--dry-run", "--json", str(saved_page), "-", stdin=PAGE.encode())
    first, second = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert (done.returncode, second["source"], first["comments"]) == (0, "-", second["comments"])


def test_a_dry_run_gives_offsets_into_the_text(saved_page: Path) -> None:
    found = json.loads(alone("--dry-run", "--json", str(saved_page)).stdout)
    assert set(found) == {"source", "title", "article", "comments"}
    assert PAGE[found["article"]["start"] :].startswith("Council votes")
    for comment in found["comments"]:
        assert set(comment["basis"]) == {"boundary", "parent", "author", "date"}
        assert PAGE[comment["start"] : comment["end"]].strip()


@given(st.binary(max_size=400))
def test_no_bytes_are_an_error(data: bytes) -> None:
    reading = importer.read(data, name="x")
    assert bool(reading.rejected) != bool(list(reading.discussions))


@pytest.mark.django_db
def test_every_character_is_accounted_for() -> None:
    report = importer.import_source(SAMPLE.read_bytes(), name=SAMPLE.name)
    parts = dict(report.characters)
    assert parts.pop("total") == sum(parts.values()) == len(SAMPLE.read_text())
    assert sum(report.left_out.values()) == parts["left out"]


@pytest.mark.django_db
@pytest.mark.skipif(not REAL, reason="../shared/source is absent")
@pytest.mark.parametrize("path", REAL, ids=str)
def test_the_real_source_goes_through_whole(path: Path) -> None:
    report = importer.import_source(path.read_bytes(), name=path.name)
    parts = dict(report.characters)
    assert report.outcome == Outcome.CREATED
    assert parts.pop("total") == sum(parts.values()) == len(path.read_text())
    assert not Mention.objects.exists()  # that is the worker's job
