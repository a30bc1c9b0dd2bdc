"""Standard output and error that take everything: what a stream cannot encode is written in ASCII, a stream
that is closed swallows it, and one that closes early ends the program quietly."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from typing import TextIO

IN_ASCII = {
    **dict.fromkeys("\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{THIN SPACE}", " "),
    **dict.fromkeys("\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}", "u"),
    **dict.fromkeys("−–—‐‑", "-"),
    **dict.fromkeys("├└╰╭┌┐┘╮╯┬┴┼┤╞╡╪", "+"),
    **dict.fromkeys("─━═╌", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”„", '"'),
    "×": "x",
    "÷": "/",
    "±": "+-",
    "•": "*",
    "·": "*",
    "…": "...",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "Ω": "Ohm",
}
"""What stands for a character that our output uses where a stream is no Unicode. Others lose their accents,
and what is left is a question mark."""

_ERRORS = "archsim-ascii"


def in_ascii(text: str) -> str:
    """A text in ASCII."""
    return "".join(_ascii(character) for character in text)


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if character in IN_ASCII:
        return IN_ASCII[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or "?"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


def prepare_streams() -> None:
    """Makes both streams take all that is printed. A stream that was closed before the start is no stream."""
    codecs.register_error(_ERRORS, _replaced)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def takes(text: str, stream: TextIO) -> bool:
    """Whether a stream takes this text as it is."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def flushed() -> OSError | None:
    """What was printed is given away. Where that fails, the error, and nothing more comes to that stream:
    not even what Python would write at its end."""
    failed = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            failed = failed or error
            _silence(stream)
        except ValueError:
            pass  # it is closed
    return failed


def _silence(stream: TextIO) -> None:
    """Points the file below a stream at nothing."""
    try:
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, stream.fileno())
        os.close(handle)
        stream.flush()
    except (OSError, ValueError):
        pass
