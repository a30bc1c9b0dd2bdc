"""Reproductions of published comparisons and designs. Importing this package registers those of the
project."""

from __future__ import annotations

from reports.studies import closnets_2018 as _closnets_2018
from reports.studies import csc_dac2019 as _csc_dac2019
from reports.studies import deep_compression_iclr2016 as _deep_compression_iclr2016
from reports.studies import dey_reconfig2018 as _dey_reconfig2018
from reports.studies import eie_isca2016 as _eie_isca2016
from reports.studies import neurofabric_2020 as _neurofabric_2020
from reports.studies.registry import STUDIES, StudyError, register_study, reproduce

__all__ = ["STUDIES", "StudyError", "register_study", "reproduce"]

del _closnets_2018, _csc_dac2019, _deep_compression_iclr2016, _dey_reconfig2018
del _eie_isca2016, _neurofabric_2020
