"""Settings that all tests share."""

from __future__ import annotations

import datetime
import os
import signal

from hypothesis import HealthCheck, settings

# Everyone who runs the tests searches new cases; continuous integration asks the same ones of every change.
settings.register_profile(
    "archsim",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("archsim")

# Every process of a run makes the same rows of the shipped tables anew, also around midnight.
os.environ.setdefault("ARCHSIM_TEST_DAY", datetime.date.today().isoformat())

# A shell that starts the tests in the background has them ignore interrupts, and their children with them.
signal.signal(signal.SIGINT, signal.default_int_handler)
