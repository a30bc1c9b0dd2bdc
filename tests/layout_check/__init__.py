"""The placer held beside tools that know nothing of it: `make layout-check`.

Coriolis, graywolf and qrouter are run as programs of their own; nothing of them is imported here.
"""

from __future__ import annotations
