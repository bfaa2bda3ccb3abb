"""nbgrader's settings for this course.

The course's root is the folder of this file, so every nbgrader command works on the same
`solutions/`, `notebooks/`, `submitted/`, `autograded/`, `feedback/` and `gradebook.db`, wherever it
is started:

- in this folder: `nbgrader autograde 06-forget-gate`;
- in any other: the same command, once `lstmkit release` (`make notebooks`) has run. nbgrader looks
  for its settings in the working folder and in the environment's etc/jupyter, no further up, so
  that command puts a file there which leads here;
- anywhere, with an environment in which that was not done: add `--course-dir=/path/to/this/folder`.

The same three ways hold for `generate_assignment`, `generate_feedback`, `export` and `validate`,
and for the formgrader, which is a page of JupyterLab (`jupyter lab`, menu Nbgrader, Formgrader; or
`/formgrader`).

`LSTMKIT_DB_URL` names another database, for example `postgresql+psycopg://user@host/course`;
`LSTMKIT_SECRET` gives the course's secret, which is otherwise made in `.course_secret` beside this
file.
"""

import os
import shutil
import sys
import warnings
from pathlib import Path

from lstmkit.grading.execute import autograde_preprocessors

c = get_config()  # noqa: F821
root = Path(__file__).resolve().parent

# nbgrader starts `alembic` by name for a new database, and leaves half a database when it is not
# found.
if shutil.which("alembic") is None:
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

# SQLAlchemy 2.1 has much to say about how nbgrader 0.9 adds rows; the rows are right.
warnings.filterwarnings("ignore", module="nbgrader")

c.CourseDirectory.root = str(root)
# PostgreSQL refuses an assignment without a course; SQLite does not look.
c.CourseDirectory.course_id = "lstm-course"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
if os.environ.get("LSTMKIT_DB_URL"):  # otherwise gradebook.db in the root
    c.CourseDirectory.db_url = os.environ["LSTMKIT_DB_URL"]
# nbgrader's defaults, and the Markdown sources: they hold the solutions, and would be copied to
# students.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md"]

c.Autograde.autograde_preprocessors = autograde_preprocessors()
# A test cell that a student deleted is put back, and fails or passes like any other.
c.OverwriteCells.add_missing_cells = True
# Seconds for one cell, and for all cells of a submission.
c.ExecutePreprocessor.timeout = 60
c.CourseExecute.notebook_timeout = 300
c.CourseExecute.secret_file = str(root / ".course_secret")
