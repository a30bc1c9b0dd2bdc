"""archsim: what does a sparse fully connected layer really cost in silicon?

>>> import archsim as a
>>> design = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(pes=16), technology="artix7")
>>> design.simulate("analytic").cycles > 0
True

What there is: `a.engines`, `a.technologies`, `a.families` and `a.networks` are mappings, and all but the last
take new members by `.register(name)`.
"""

from __future__ import annotations

from workloads.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
