"""Reproductions of published comparisons and designs, each in a folder of its own."""

from __future__ import annotations

from reports.studies.registry import StudyError, reproduce, studies

__all__ = ["StudyError", "reproduce", "studies"]
