"""PyTensor's gradient of a PyMC model, to compare with one in the parameters themselves.

PyMC samples u: the parameters, or a square, power or log in place of a scale. Its density of u is ours of the
parameters times the derivative of each scale with respect to what stands for it. So our gradient, taken through the
derivatives of the parameters with respect to u, plus that of the log of the scales' derivatives, has to be PyTensor's.
"""

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

SCALES = ("tau", "sigma", "kappa")


class Compared:
    """A PyMC model at values of its free variables.

    `point` has the values of its named parameters there, and `theirs` its gradient with respect to u in one array;
    `ours` takes a gradient with respect to the named parameters there.
    """

    def __init__(self, built, values, names):
        free = {variable: variable.type() for variable in built.free_RVs}
        self._u, self._values = list(free.values()), [np.asarray(values[v.name], dtype=float) for v in free]
        sampled = {built.rvs_to_values[v]: _transformed(built, v, u) for v, u in free.items()}
        density = clone_replace(built.logp(jacobian=False), sampled)
        self._named = {name: clone_replace(built[name], free) for name in names}
        self.point = dict(zip(names, self._evaluated(list(self._named.values())), strict=True))
        self.theirs = self._gradient(density)

    def ours(self, gradient):
        through = sum(pt.sum(self._named[name] * slope) for name, slope in gradient.items())
        return self._gradient(through, known={name: self._named[name] for name in SCALES if name in self._named})

    def _gradient(self, density, known=None):
        for scale in (known or {}).values():
            (of,) = {*ancestors([scale])} & {*self._u}
            density = density + pt.log(pt.abs(pytensor.grad(scale, of)))
        slopes = pytensor.grad(density, self._u, disconnected_inputs="ignore")
        return np.concatenate([np.ravel(slope) for slope in self._evaluated(slopes)])

    def _evaluated(self, outputs):
        compiled = pytensor.function(self._u, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
        return compiled(*self._values)


def _transformed(built, variable, u):
    transform = built.rvs_to_transforms[variable]
    return u if transform is None else transform.forward(u, *variable.owner.inputs)
