"""Static files as they are deployed: hashed, compressed, and the style sheets joined into one.

Twenty sheets are easy to keep and dear to fetch: each costs a request, and compresses worse
than all of them together. Pages name them one by one (`templates/shell/_styles.html`), and link
what `collectstatic` joined of them (`{% joined %}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

JOINED = "css/all.css"
#: The template that names what is in it.
LIST = Path(__file__).resolve().parents[1] / "templates/shell/_styles.html"


def sheets() -> list[str]:
    """The names of the sheets every page is drawn with, in their order."""
    return re.findall(r"\{% static '(css/[a-z-]+\.css)' %\}", LIST.read_text(encoding="utf-8"))


class JoinedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, with one sheet more: all of ours, one after the other."""

    joined = JOINED

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        if not dry_run:
            self._join(paths)
        yield from super().post_process(paths, dry_run, **options)

    def _join(self, paths: dict[str, Any]) -> None:
        found = [paths[name] for name in sheets()]
        texts = []
        for storage, path in found:
            with storage.open(path) as sheet:
                texts.append(sheet.read())
        if self.exists(JOINED):
            self.delete(JOINED)
        self.save(JOINED, ContentFile(b"\n".join(texts)))
        paths[JOINED] = (self, JOINED)
