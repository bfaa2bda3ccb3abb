"""The class that runs submissions: what it makes of outputs, seeds, secrets and the environment."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

from lstmkit.grading.batch import run_each
from lstmkit.grading.execute import autograde_preprocessors, kernel_environment, settle
from lstmkit.grading.seeds import content_hash, course_secret, hidden_seed

MARK = {"grade": True, "solution": False, "points": 5, "grade_id": "t"}
WARNING = new_output("stream", name="stderr", text="UserWarning: slow")
VALUE = new_output("execute_result", data={"text/plain": "5.0"}, execution_count=1)
ERROR = new_output("error", ename="E", evalue="", traceback=[])


@pytest.mark.parametrize(
    ("outputs", "ran", "points"),
    [
        ([], True, 5),
        ([], False, 0),
        ([WARNING], True, 5),
        ([WARNING, ERROR], True, 0),
        ([VALUE, ERROR], True, 0),
        ([new_output("stream", name="stdout", text="done")], False, 0),
    ],
)
def test_what_nbgrader_reads_from_a_test_cell(outputs: list, ran: bool, points: float) -> None:
    cell = new_code_cell("check()", metadata={"nbgrader": MARK}, outputs=outputs)
    settle(cell, ran, "")
    assert determine_grade(cell)[0] == points


def test_a_warning_is_still_to_be_read() -> None:
    cell = new_code_cell("check()", metadata={"nbgrader": MARK}, outputs=[WARNING.copy()])
    settle(cell, True, "")
    assert cell.outputs[0].text == "UserWarning: slow"


def test_only_execute_is_replaced() -> None:
    from nbgrader.converters import Autograde

    default = [c.__name__ for c in Autograde.class_traits()["autograde_preprocessors"].default()]
    ours = [name.rpartition(".")[2] for name in autograde_preprocessors()]
    assert default[0] == "Execute"
    assert ours == ["CourseExecute", *default[1:]]


def test_the_kernels_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMKIT_SECRET", "s")
    monkeypatch.setenv("LSTMKIT_DB_URL", "postgresql://")
    monkeypatch.setenv("LSTMKIT_SEED", "of the shell")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    plain, seeded = kernel_environment(None), kernel_environment("7")
    assert "LSTMKIT_SEED" not in plain
    assert seeded["LSTMKIT_SEED"] == "7"
    for environment in (plain, seeded):
        assert not {"LSTMKIT_SECRET", "LSTMKIT_DB_URL"} & set(environment)
        assert environment["OMP_NUM_THREADS"] == "1"


def test_the_secret_is_made_once_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LSTMKIT_SECRET", raising=False)
    path, other = tmp_path / ".course_secret", tmp_path / "other"
    first = course_secret(path)
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert course_secret(path) == first
    assert course_secret(other) != first
    assert sorted(p.name for p in tmp_path.iterdir()) == [".course_secret", "other"]
    monkeypatch.setenv("LSTMKIT_SECRET", "given")
    assert course_secret(path) == b"given"
    monkeypatch.delenv("LSTMKIT_SECRET")
    path.write_text("\n")
    with pytest.raises(ValueError, match="is empty"):
        course_secret(path)


def test_many_processes_make_one_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTMKIT_SECRET", raising=False)
    path = tmp_path / "secret"
    done = list(run_each(course_secret, [path] * 12, jobs=6, limit=60))
    assert len(done) == 12
    assert {d.result for d in done} == {path.read_text().strip().encode()}


def test_the_seed_is_the_hmac_that_the_docs_name() -> None:
    content = content_hash([("code", "x = 1")])
    message = b"\0".join([b"ann", b"06-forget-gate", content.encode()])
    want = hmac.new(b"key", message, hashlib.sha256).hexdigest()
    assert hidden_seed(b"key", "ann", "06-forget-gate", content) == want
    others = {
        hidden_seed(b"kez", "ann", "06-forget-gate", content),
        hidden_seed(b"key", "bob", "06-forget-gate", content),
        hidden_seed(b"key", "ann", "01-the-loop", content),
        hidden_seed(b"key", "ann", "06-forget-gate", content_hash([("code", "x = 2")])),
    }
    assert len(others | {want}) == 5


def test_the_content_hash_sees_where_cells_begin() -> None:
    assert content_hash([("code", "ab"), ("code", "c")]) != content_hash(
        [("code", "a"), ("code", "bc")]
    )
    assert content_hash([("code", "a")]) != content_hash([("markdown", "a")])
    assert content_hash([("code", "\ud800")])
