"""The exact posterior of your table in one call, `fit`; and the studies, proofs and commands of this project.

Commands: python -m analyses.run, .audit, .reference, .calibrate, .benchmark and .notebooks; each has --help.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
