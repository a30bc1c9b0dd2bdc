"""The text of a file that a user gave, in whatever encoding its tool wrote."""

from __future__ import annotations

import codecs
from pathlib import Path

from workloads.refusal import Refusal

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and what they stand for; the longer of two that begin alike comes first."""


class TextError(Refusal):
    """A file cannot be read, or is no text."""


def read_text(path: Path, what: str, *, error: type[Refusal] = TextError) -> str:
    """The text of a file; an `error` says in a sentence why there is none, and calls the file `what`."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise error(
            f"{what} {path} cannot be read ({reason.lower()}), allowed is a file that can be read"
        ) from None
    try:
        return decoded(content)
    except UnicodeDecodeError as cause:
        line = content.count(b"\n", 0, cause.start) + 1
        raise error(
            f"{what} {path} has the byte 0x{content[cause.start]:02x} in line {line}, which is not "
            f"{cause.encoding}, allowed is text in UTF-8, or in UTF-16 with a byte order mark"
        ) from None


def decoded(content: bytes, *, errors: str = "strict") -> str:
    """Bytes as text: UTF-8, or what their byte order mark says. Others are treated as `errors` says, as in
    `bytes.decode`: unless they are to be replaced, UnicodeDecodeError is raised."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors)
    return content.decode("utf-8", errors)
