"""A reader of Liberty files, which takes from a cell what this project uses."""

from __future__ import annotations

from archsim.technology.liberty.reader import read_liberty as read_liberty
