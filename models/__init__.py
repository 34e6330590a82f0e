"""Hierarchical normal models: groups, priors, and what they say together; named cases as modules.

Names are imported when they are used: `from models import Replicates, TwoLevel, priors, eight_schools`. Only `build`
and `recover_theta` import PyMC.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
