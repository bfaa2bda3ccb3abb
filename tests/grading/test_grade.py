"""`lstmkit grade`: right marks, or zero with a reason; no submission stops the others."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from lstmkit import cli
from lstmkit.grading.course import Course

from . import odd_submissions as o
from .conftest import SMALL, Graded, grade
from .make_submissions import KINDS, expected
from .sample_course import make_course


def release_of(graded: Graded, assignment: str) -> dict:
    return json.loads(graded.course.notebook("release", ".", assignment).read_text())


def test_every_submission_has_a_row(odd: Graded) -> None:
    assert odd.run.returncode == 0, odd.run.stderr
    submitted = {path.name for path in (odd.course.root / "submitted").iterdir()}
    assert set(odd.rows[SMALL]) == submitted


@pytest.mark.parametrize("kind", KINDS)
def test_marks_of_the_samples_in_the_small_course(odd: Graded, kind: str) -> None:
    row = odd.rows[SMALL][kind]
    assert row["score"] == expected(release_of(odd, SMALL), kind)
    assert row["max_score"] == 4


@pytest.mark.parametrize("kind", o.NOTEBOOKS)
def test_marks_of_the_odd_ones(odd: Graded, kind: str) -> None:
    assert odd.rows[SMALL][kind]["score"] == o.NOTEBOOKS[kind][1]


@pytest.mark.parametrize("kind", o.REASONS)
def test_zero_with_a_reason(odd: Graded, kind: str) -> None:
    row = odd.rows[SMALL][kind]
    assert (row["status"], row["score"]) == ("zero", 0)
    assert o.REASONS[kind] in row["reason"]
    page = Path(row["feedback"]).read_text(encoding="utf-8")
    assert "could not be graded" in page


def test_no_other_row_is_zero_for_a_reason(odd: Graded) -> None:
    zero = {name for name, row in odd.rows[SMALL].items() if row["status"] == "zero"}
    assert zero == set(o.REASONS)
    absent = {name: r["reason"] for name, r in odd.rows[SMALL].items() if r["status"] == "absent"}
    assert absent == {
        o.ABSENT: "Nothing was handed in.",
        o.ASTRAY: f"The notebook must lie in a folder {SMALL}; there is {SMALL}.ipynb.",
    }


def test_notes_say_what_was_odd(odd: Graded) -> None:
    rows = odd.rows[SMALL]
    assert "process ended" in " ".join(rows["exits"]["notes"])
    assert "Stopped when its time was over: sums-visible." in " ".join(
        rows["endless-loop"]["notes"]
    )
    assert "could not be stopped" in " ".join(rows["stubborn-loop"]["notes"])
    assert "more than once" in " ".join(rows["copied-answer"]["notes"])
    assert rows["deleted-test"]["notes"] == [
        "The test cell twice-hidden was missing and was put back."
    ]
    assert rows["right"]["notes"] == rows["without-ids"]["notes"] == []


def test_the_time_of_handing_in_is_nbgraders(odd: Graded) -> None:
    with odd.course.gradebook() as gradebook:
        found = {s.student.id: s.timestamp for s in gradebook.assignment_submissions(SMALL)}
    assert str(found["late"]) == "2026-01-31 23:59:00"
    assert found["odd-time"] is found["right"] is None
    assert odd.rows[SMALL]["odd-time"]["notes"] == ["timestamp.txt holds no time and was left out."]


def test_links_are_not_followed(odd: Graded) -> None:
    secret = odd.course.notebook("source", ".", SMALL).read_text()
    for step in ("autograded", "feedback"):
        for path in odd.course.folder(step, "a-link", SMALL).iterdir():
            assert "accumulate" in secret
            assert "accumulate" not in path.read_text(encoding="utf-8")


def test_output_is_cut(odd: Graded) -> None:
    path = odd.course.notebook("autograded", "endless-print", SMALL)
    assert path.stat().st_size < 1_000_000
    assert "more output was cut" in path.read_text(encoding="utf-8")


def test_csv_has_the_marks(odd: Graded) -> None:
    with (odd.course.root / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["partly-right"]["score"] == "3"
    assert rows["partly-right"]["twice-hidden"] == "2"
    assert rows["wrong-name"]["reason"] == odd.rows[SMALL]["wrong-name"]["reason"]


def test_hidden_seed_differs_between_students_and_stays(odd: Graded) -> None:
    def seed(student: str) -> str:
        path = odd.course.notebook("autograded", student, SMALL)
        return json.loads(path.read_text())["metadata"]["lstmkit"]["seed"]

    before = seed("right")
    assert before != seed("without-ids")
    again = grade(odd.course, SMALL, "--only", "right", "--force")
    assert again.rows[SMALL]["right"]["seconds"] > 0
    assert seed("right") == before


def test_what_did_not_change_is_kept_and_what_did_is_graded_again(odd: Graded) -> None:
    path = odd.course.notebook("submitted", "untouched", SMALL)
    right = odd.course.notebook("submitted", "right", SMALL)
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(right.read_text(encoding="utf-8"), encoding="utf-8")
        again = grade(odd.course, SMALL)
    finally:
        path.write_text(before, encoding="utf-8")
    rows = again.rows[SMALL]
    assert {name for name, row in rows.items() if row["seconds"]} == {"untouched"}
    assert rows["untouched"]["score"] == 4
    kept = ("status", "reason", "score", "notes", "tests")
    for name in set(rows) - {"untouched"}:
        for key in kept:
            assert rows[name][key] == odd.rows[SMALL][name][key], (name, key)


def test_a_missing_feedback_page_is_made_again(odd: Graded) -> None:
    page = odd.course.notebook("feedback", "format-3", SMALL, ".html")
    page.unlink()
    again = grade(odd.course, SMALL, "--only", "format-3")
    assert again.rows[SMALL]["format-3"]["feedback"] == str(page)
    assert page.exists()


def test_a_mark_given_by_hand_stays(odd: Graded) -> None:
    with odd.course.gradebook() as gradebook:
        given = gradebook.find_grade("sums-visible", SMALL, SMALL, "exits")
        given.manual_score = 0.5
        gradebook.db.commit()
    try:
        again = grade(odd.course, SMALL, "--only", "exits", "--force", "--time-limit", "4")
        assert again.rows[SMALL]["exits"]["score"] == 3.5
    finally:
        with odd.course.gradebook() as gradebook:
            gradebook.find_grade("sums-visible", SMALL, SMALL, "exits").manual_score = None
            gradebook.db.commit()


def test_the_table_is_readable(odd: Graded, capsys: pytest.CaptureFixture[str]) -> None:
    # Nothing has changed, so that no submission runs: this may happen in the tests' own process.
    assert cli.main(["grade", SMALL, "--only", "right", "--course", str(odd.course.root)]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == SMALL
    assert any(line.split()[:5] == ["right", "1", "2", "1", "4/4"] for line in lines)
    assert "feedback: " in out
    assert "marks: " in out


def test_mistakes_on_the_command_line(
    small: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(small.root)
    for arguments, words in (
        (["nothing", "--course", root], "no assignment 'nothing'; there are: 00-small"),
        ([SMALL, "--only", "nobody", "--course", root], "no student 'nobody'"),
        ([SMALL, "--course", str(tmp_path)], "There is no nbgrader_config.py"),
    ):
        assert cli.main(["grade", *arguments]) == 2
        err = capsys.readouterr().err
        assert words in err
        assert len(err.splitlines()) == 1


def test_a_database_that_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = make_course(tmp_path, tmp_path / "solutions")
    (tmp_path / "gradebook.db").mkdir()
    assert cli.main(["grade", SMALL, "--course", str(course.root)]) == 2
    assert "The gradebook cannot be opened: " in capsys.readouterr().err


def test_the_gradebook_knows_the_assignments_course(odd: Graded) -> None:
    # PostgreSQL insists on it; SQLite does not.
    with odd.course.gradebook() as gradebook:
        found = gradebook.find_assignment(SMALL)
        assert found.course_id == found.course.id == "lstm-course"


def test_the_graders_own_trouble_is_no_mark(odd: Graded, tmp_path: Path) -> None:
    # Feedback cannot be written where a file stands: no mark is claimed, and the status says so.
    feedback = odd.course.root / "feedback"
    aside = tmp_path / "feedback"
    os.rename(feedback, aside)
    try:
        feedback.write_text("in the way")
        run = grade(odd.course, SMALL, "--only", "untouched", "--force")
    finally:
        feedback.unlink()
        os.rename(aside, feedback)
    assert run.run.returncode == 1
    assert run.rows[SMALL]["untouched"]["status"] == "failed"
    assert run.rows[SMALL]["untouched"]["reason"]


def test_samples_of_the_real_assignments(samples: Graded) -> None:
    assert samples.run.returncode == 0, samples.run.stderr
    assert set(samples.rows) >= {"01-the-loop", "06-forget-gate"}
    for assignment, rows in samples.rows.items():
        release = release_of(samples, assignment)
        total = expected(release, "right")
        for kind in KINDS:
            row = rows[kind]
            assert (row["score"], row["max_score"]) == (expected(release, kind), total), kind
            assert Path(row["feedback"]).is_file()
        assert 0 < expected(release, "partly-right") < total
        assert 0 < expected(release, "exits") < total
