"""The course's secret, and the seed that each submission's hidden checks draw their inputs from."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def course_secret(path: Path) -> bytes:
    """The secret in `LSTMKIT_SECRET`, else in the file `path`, which is made (mode 0600) at first
    use.

    Raises ValueError when the file is there and empty.
    """
    if given := os.environ.get("LSTMKIT_SECRET"):
        return given.encode()
    if not path.exists():
        _create(path, secrets.token_hex(32))
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise ValueError(f"{path} is empty: delete it, and a new secret is made")
    return secret.encode()


def _create(path: Path, text: str) -> None:
    """Write `path` whole or not at all; when two processes try, the first one's secret stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def content_hash(cells: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over (cell type, source) of the cells that a student may write."""
    digest = hashlib.sha256()
    for kind, source in cells:
        for text in (kind, source):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def hidden_seed(secret: bytes, student: str, assignment: str, content: str) -> str:
    """The seed of one submission, 64 hexadecimal digits: HMAC-SHA256 of the three under the secret.

    It differs from student to student, and is the same when the same work is graded again.
    """
    message = "\0".join((student, assignment, content)).encode("utf-8", "surrogatepass")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
