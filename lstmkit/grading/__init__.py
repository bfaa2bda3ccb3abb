"""Releasing assignments and grading submissions, on top of nbgrader.

`release` makes what students get, `intake` looks at what they hand in, `execute` holds the one
class that runs their code, `grade` and `batch` put marks on a course's submissions, `check` is the
students' own command. nbgrader, Jupytext and nbclient are imported when used.
"""
