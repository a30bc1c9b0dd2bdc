"""Reproductions of published comparisons. Importing this package registers those of the project."""

from reports.studies import csc_dac2019 as _csc_dac2019
from reports.studies.registry import STUDIES, StudyError, register_study, reproduce

__all__ = ["STUDIES", "StudyError", "register_study", "reproduce"]

del _csc_dac2019
