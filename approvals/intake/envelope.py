"""What can be refused before a byte of the body is read: type, encoding, length."""

from __future__ import annotations

from collections.abc import Mapping

from approvals.strict_json import MAX_BODY_BYTES


class Unacceptable(Exception):
    """The envelope is wrong; STATUS says how."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


def check_envelope(headers: Mapping[str, str]) -> None:
    """Return if a body under HEADERS may be read.

    Raises:
        Unacceptable: 415 another type than JSON, or compressed; 411 without a length;
            413 longer than MAX_BODY_BYTES.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {"", "application/json"}:
        raise Unacceptable(415, "Not JSON", "Send the body as application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Unacceptable(415, "Compressed", "Send the body without Content-Encoding.")
    if "transfer-encoding" in headers:
        raise Unacceptable(411, "No length", "Send the body with a Content-Length, not in chunks.")
    declared = headers.get("content-length", "")
    check_length(int(declared) if declared.isdecimal() else 0)


def check_length(length: int) -> None:
    """Refuse with 413 what is longer than a body may be, in bytes."""
    if length > MAX_BODY_BYTES:
        detail = f"Send at most {MAX_BODY_BYTES} bytes; link to larger documents instead."
        raise Unacceptable(413, "Too large", detail)
