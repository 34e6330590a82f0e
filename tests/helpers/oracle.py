"""The posterior at 30 digits by brute force, written apart from the product: group by group, nothing compressed.

Where `sigma` is unknown it may be integrated out on paper (one dimension) or left to the lattice (two dimensions), so
that the former is checked by the latter on small problems.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from mpmath import mp, mpf

from helpers.priors import log_kernel
from models import priors

mp.dps = 30
DEPTH = {1: 75, 2: 50}  # e^-75 is 3e-33, e^-50 is 2e-22: two dimensions cost more nodes
SIGMA_STEP = mpf("0.06")  # in two dimensions: with a score of rows log sigma has an sd of 0.15


@dataclass
class Node:
    """The model given the scales: log density of (log scales, data) up to a constant, and the law of b."""

    height: mpf
    tau: mpf
    sigma: mpf
    location: mp.matrix
    covariance: mp.matrix
    shape: mpf | None = None
    scale: mpf | None = None


class Oracle:
    """Posterior of a TwoLevel model."""

    def __init__(self, model, *, closed, step):
        self.model, self.closed, self.step, g = model, closed, mpf(step), model.groups
        self.mean = [mpf(float(v)) for v in g.mean]
        self.noise = [mpf(float(v)) for v in g.noise]
        self.x = mp.matrix(g.design.tolist())
        self.df, self.ss = mpf(g.df.sum()), sum(mpf(float(v)) for v in g.ss)
        self.known = isinstance(model.sigma, priors.KnownScale)
        self.two = not (self.known or closed)

    def at(self, u, s=0) -> Node:
        """The node where log tau = u and log sigma = s."""
        model, tau, sigma, J, p = self.model, mp.exp(u), mp.exp(s), len(self.mean), self.x.cols
        between = (tau * sigma if model.relative else tau) ** 2
        v = [noise * sigma**2 + between for noise in self.noise]
        precision, right = mp.matrix(p, p), mp.matrix(p, 1)
        for k, prior in enumerate(model.coefficients):
            if prior.proper:
                precision[k, k] += 1 / mpf(prior.sd) ** 2
                right[k] += mpf(prior.mean) / mpf(prior.sd) ** 2
        for i in range(J):
            for j in range(p):
                right[j] += self.x[i, j] * self.mean[i] / v[i]
                for k in range(p):
                    precision[j, k] += self.x[i, j] * self.x[i, k] / v[i]
        covariance = precision**-1
        b = covariance * right
        fit = self.x * b
        q = sum((m - f) ** 2 / w for m, f, w in zip(self.mean, fit, v, strict=True))
        q += sum((b[k] - mpf(f.mean)) ** 2 / mpf(f.sd) ** 2 for k, f in enumerate(model.coefficients) if f.proper)
        height = log_kernel(model.tau, u) + u - sum(map(mp.log, v)) / 2 - mp.log(mp.det(precision)) / 2
        if not self.closed:
            height += log_kernel(model.sigma, s) + s - self.df * s - self.ss / sigma**2 / 2 - q / 2
            return Node(height, tau, sigma, b, covariance)
        shape = mpf(model.sigma.shape) + (self.df + J - p) / 2
        scale = mpf(model.sigma.scale) + (self.ss + q) / 2
        return Node(height - shape * mp.log(scale), tau, mpf(1), b, covariance, shape, scale)

    @cached_property
    def mode(self):
        """Log tau at the top, roughly, and log sigma."""
        g = self.model.groups
        s = mpf(0) if self.known or self.closed else mp.log(self.ss / self.df) / 2
        spread = mpf(float(g.mean.std())) or mp.sqrt(self.noise[0]) * mp.sqrt(self.ss / self.df)
        centre = mp.log(spread) - (s if self.model.relative else 0)
        return max(((centre + k * mpf("0.25"), s) for k in range(-24, 25)), key=lambda us: self.at(*us).height)

    @cached_property
    def nodes(self):
        """Every node of the lattice within DEPTH of the top, the second moment of tau included."""
        u, s = self.mode
        top, depth = self.at(u, s).height, DEPTH[2 if self.two else 1]
        heavy = 2 if self._moments > 2 else 0

        def line(s):
            out = []
            for sign in (1, -1):
                k, node = (0 if sign == 1 else 1), None
                while node is None or node.height + heavy * max(mp.log(node.tau) - u, 0) > top - depth:
                    node = self.at(u + sign * k * self.step, s)
                    out.append(node)
                    k += 1
            return out

        if not self.two:
            return line(s)
        lines = []
        for sign in (1, -1):
            k, found = (0 if sign == 1 else 1), None
            while found is None or max(n.height for n in found) > top - depth:
                found = line(s + sign * k * SIGMA_STEP)
                lines += found
                k += 1
        return lines

    @property
    def _moments(self):
        flat = sum(not prior.proper for prior in self.model.coefficients)
        return len(self.mean) - flat + self.model.tau.tail_exponent - 1

    @cached_property
    def weights(self):
        """Of the nodes, adding up to one."""
        top = max(n.height for n in self.nodes)
        raw = [mp.exp(n.height - top) for n in self.nodes]
        total = mp.fsum(raw)
        return [w / total for w in raw]

    def _moments_of(self, pairs):
        mean = mp.fsum(w * m for w, (m, _) in zip(self.weights, pairs, strict=True))
        var = mp.fsum(w * (v + (m - mean) ** 2) for w, (m, v) in zip(self.weights, pairs, strict=True))
        return mean, mp.sqrt(var)

    def _unit(self, node):
        """Squared scale of a t for unit variance, its df, and what makes a variance of the squared scale."""
        if not self.closed:
            return mpf(1), mp.inf, mpf(1)
        return node.scale / node.shape, 2 * node.shape, node.shape / (node.shape - 1)

    def linear(self, x, group=None):
        """Location, squared scale of x'b at each node, or of theta of a group."""
        out = []
        for n in self.nodes:
            unit, df, blow = self._unit(n)
            row = mp.matrix([x])
            location, spread = (row * n.location)[0], (row * n.covariance * row.T)[0]
            if group is not None:
                noise = self.noise[group] * n.sigma**2
                between = (n.tau * n.sigma if self.model.relative else n.tau) ** 2
                k = noise / (noise + between)
                location = k * location + (1 - k) * self.mean[group]
                spread = k**2 * spread + (1 - k) * noise
            out.append((location, spread * unit, df, blow))
        return out

    def moments_linear(self, x, group=None):
        """Mean and sd of x'b or theta."""
        return self._moments_of([(m, v * blow) for m, v, _, blow in self.linear(x, group)])

    def cdf_linear(self, q, x, group=None):
        """P(x'b <= q) and its density there."""
        cdf, pdf = mpf(0), mpf(0)
        for w, (m, v, df, _) in zip(self.weights, self.linear(x, group), strict=True):
            if w < mpf(10) ** -24:
                continue
            sd = mp.sqrt(v)
            z = (q - m) / sd
            cdf, pdf = cdf + w * t_cdf(z, df), pdf + w * t_pdf(z, df) / sd
        return cdf, pdf

    def moments_scale(self, name):
        """Mean and sd of tau, sigma or sd_between."""
        return self._moments_of([self._root(n, name) for n in self.nodes])

    def _root(self, n, name):
        value = {"tau": n.tau, "sigma": n.sigma}.get(name, n.tau * n.sigma if self.model.relative else n.tau)
        if name == "tau" or not self.closed:
            return value, mpf(0)
        second = value**2 * n.scale / (n.shape - 1)
        mean = value * mp.sqrt(n.scale) * mp.exp(mp.loggamma(n.shape - mpf(1) / 2) - mp.loggamma(n.shape))
        return mean, second - mean**2

    def cdf_root(self, q, name):
        """P(sigma or sd_between <= q) and its density there, where sigma is integrated out."""
        cdf, pdf = mpf(0), mpf(0)
        for w, n in zip(self.weights, self.nodes, strict=True):
            if w < mpf(10) ** -24:
                continue
            scale = n.scale * (n.tau**2 if name == "sd_between" else 1)
            cdf += w * mp.gammainc(n.shape, scale / q**2, mp.inf, regularized=True)
            pdf += (
                w * 2 * mp.exp(n.shape * mp.log(scale) - mp.loggamma(n.shape) - scale / q**2) * q ** (-2 * n.shape - 1)
            )
        return cdf, pdf

    def cdf_tau(self, q):
        """P(tau <= q) and its density there, by Gauss-Legendre quadrature that stops at q; one dimension only."""
        logs = [mp.log(n.tau) for n in self.nodes]
        low, top = min(logs), max(n.height for n in self.nodes)
        total = self.step * mp.fsum(mp.exp(n.height - top) for n in self.nodes)
        end = mp.log(q)
        pieces = mp.linspace(max(low, end - 12), end, 13)
        tail = [low, *pieces] if low < pieces[0] else pieces
        below = mp.quad(lambda u: mp.exp(self.at(u).height - top), tail, maxdegree=6)
        return below / total, mp.exp(self.at(end).height - top) / total / q


def t_cdf(z, df):
    """Distribution function of Student's t."""
    if df == mp.inf:
        return mp.ncdf(z)
    tail = mp.betainc(df / 2, mpf(1) / 2, 0, df / (df + z**2), regularized=True) / 2
    return 1 - tail if z > 0 else tail


def t_pdf(z, df):
    """Density of Student's t."""
    if df == mp.inf:
        return mp.npdf(z)
    constant = mp.exp(mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2)) / mp.sqrt(df * mp.pi)
    return constant * (1 + z**2 / df) ** (-(df + 1) / 2)


def row(model, group=None):
    """Regressors of a group as mpf."""
    return [mpf(float(v)) for v in np.atleast_1d(model.groups.design[group])]
