"""Does an engine draw from the right posterior? Truths from the prior, data from the truths, and the truth's rank.

A truth drawn from the prior is one more draw from the posterior given the data that it gave rise to. So among L draws
of a correct engine its rank is uniform on 0..L (Cook, Gelman and Rubin 2006; Talts et al. 2018).

Three things make that exact here, for priors that are improper and for chains whose draws are correlated:

- p(b) = 1 and p(sigma^2) = 1/sigma^2 are the right Haar measure of shifts and scales: b and sigma may be fixed at any
  value, and the rank of everything that shifts and scales with the data is uniform all the same;
- another improper prior is cut off, which makes a proper one of it, and so is the posterior (`truncation.py`);
- a chain that runs through the truth, which stands at a random place of it, is stationary: its states are
  exchangeable with the truth however they are correlated (`stationary.py`; Gandy and Scott 2020).
"""
