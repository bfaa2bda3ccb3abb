"""Serve the built site as a web host would: under its sub-path, with gzip and the right types."""

from __future__ import annotations

import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

COMPRESSIBLE = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".xml", ".ipynb", ".md"}


class Handler(SimpleHTTPRequestHandler):
    """Static files with gzip; a missing page gets the site's own 404."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".woff2": "font/woff2",
        ".wasm": "application/wasm",
        ".md": "text/markdown; charset=utf-8",
        ".txt": "text/plain; charset=utf-8",
    }

    def __init__(self, *args: object, prefix: str, **kwargs: object) -> None:
        self.prefix = prefix
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        if self.path == "/" != self.prefix:
            self.send_response(302)
            self.send_header("Location", self.prefix)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, status = self._file()
        content = path.read_bytes() if path.is_file() else b"not found"
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Cache-Control", "no-cache")
        if path.suffix in COMPRESSIBLE and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _file(self) -> tuple[Path, int]:
        missing = Path(self.directory) / "404.html"
        if not self.path.startswith(self.prefix):
            return missing, 404
        path = Path(self.translate_path("/" + self.path.removeprefix(self.prefix)))
        if path.is_dir():
            path /= "index.html"
        return (path, 200) if path.is_file() else (missing, 404)

    def log_message(self, format: str, *args: object) -> None:
        pass


def start(site: Path, prefix: str = "/", port: int = 0) -> ThreadingHTTPServer:
    """Serve `site` from a thread; the caller calls `shutdown()`. Port 0 takes a free one."""
    handler = partial(Handler, directory=str(site), prefix=prefix)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def address(server: ThreadingHTTPServer, prefix: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{prefix}"


def serve(site: Path, prefix: str) -> None:
    """Serve until interrupted, and print the live address."""
    if not (site / "index.html").exists():
        raise SystemExit("book: nothing to serve yet; run `make book` first")
    server = start(site, prefix)
    print(f"The book is served at {address(server, prefix)}  (Ctrl-C stops it)", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.shutdown()
