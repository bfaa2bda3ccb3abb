"""`make course`: grade sample submissions of every assignment, in a course of their own.

The sample course lies in _build/sample-course, with its own submissions, gradebook and feedback. It
is made anew at every run; an instructor's submitted/, gradebook and marks are never touched.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lstmkit import cli
from lstmkit.grading.course import CONFIG, Course, load_course
from lstmkit.grading.release import release

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
SAMPLE = CHECKOUT / "_build" / "sample-course"
MADE_BY = "# Made by tests/grading/sample_course.py: the real settings, another folder."


def make_course(root: Path, solutions: Path) -> Course:
    """A course in `root` with the checkout's settings, whose sources lie in `solutions`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / CONFIG).write_text(
        f"{MADE_BY}\n\n"
        f"load_subconfig({CONFIG!r}, path={str(CHECKOUT)!r})\n"
        "c = get_config()\n"
        f"c.CourseDirectory.root = {str(root)!r}\n"
        f"c.CourseDirectory.source_directory = {str(solutions)!r}\n"
        f"c.CourseDirectory.db_url = {'sqlite:///' + str(root / 'gradebook.db')!r}\n"
        f"c.CourseExecute.secret_file = {str(root / '.course_secret')!r}\n",
        encoding="utf-8",
    )
    return load_course(root)


def make_samples(course: Course, names: list[str]) -> None:
    """Release the assignments and hand in every kind of sample submission."""
    from tests.grading.make_submissions import make_submissions

    release(names, course)
    for name in names:
        make_submissions(
            course.root / "submitted",
            name,
            course.notebook("release", ".", name),
            course.notebook("source", ".", name),
        )


def main() -> int:
    """Make the sample course anew, grade it and print the marks."""
    if SAMPLE.exists():
        if not (SAMPLE / CONFIG).read_text(encoding="utf-8").startswith(MADE_BY):
            sys.exit(f"{SAMPLE} was not made by this script: move it away first.")
        shutil.rmtree(SAMPLE)
    course = make_course(SAMPLE, CHECKOUT / "solutions")
    names = course.assignments()
    make_samples(course, names)
    return cli.main(["grade", *names, "--course", str(SAMPLE), "--time-limit", "10"])


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT))
    sys.exit(main())
