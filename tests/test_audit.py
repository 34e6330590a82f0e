"""Draws made elsewhere through the command line: right ones pass, wrong ones do not, and faults are named."""

import os
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import binom, norm

from analyses import reference
from analyses.audit import findings
from analyses.audit.__main__ import main
from analyses.audit.draws import read
from analyses.checks import agreement
from analyses.engines import exact
from analyses.reference.__main__ import main as make
from models import eight_schools

SCHOOLS, SAMPLE = "ABCDEFGH", ("chain", "draw")
Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SE = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
CHANCE = 1e-4  # that a count below the bound is bad luck
ALARM = "a right sampler is called different with probability 1 in 100,000 at most"


def audited(capsys, path, *arguments, study="eight_schools"):
    """Status, standard output and standard error."""
    capsys.readouterr()
    try:
        status = main([str(path), "--study", study, *map(str, arguments)])
    except SystemExit as left:
        status = left.code
    return status, *capsys.readouterr()


def passed(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, err) == (0, ""), out + err
    assert re.search(r"No difference found in \d+ figures, down to 0\.\d+ posterior sds in a mean", out)
    assert ALARM in out
    return out


def rejected(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, err) == (3, ""), out + err
    assert "No difference found" not in out
    return out


def refused(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, out) == (2, ""), out + err
    assert err.endswith("\n")
    return err


def smallest_size(out) -> int:
    return int(re.search(r"Smallest effective sample size (\d+)", out)[1])


def frame(draws, *, entry="theta[{}]", labels=SCHOOLS, chain="chain", draw=None) -> pd.DataFrame:
    """A row a draw; `draws` has mu and tau (chain, draw), theta (chain, draw, school)."""
    chains, size = draws["mu"].shape
    columns = {chain: np.repeat(np.arange(1, chains + 1), size)}
    columns |= {draw: np.tile(np.arange(1, size + 1), chains)} if draw else {}
    columns |= {name: draws[name].ravel() for name in ("mu", "tau")}
    columns |= {entry.format(k): draws["theta"][..., i].ravel() for i, k in enumerate(labels)}
    return pd.DataFrame(columns)


def saved(path, table) -> str:
    table.to_csv(path, index=False)
    return path


# --- samplers of strangers -------------------------------------------------------------------------------------------


def by_grid(seed, prior=np.ones_like, size=5000):
    """Independent draws of eight schools, by hand: tau from a grid, mu given tau, theta given both."""
    rng, step, shape = np.random.default_rng(seed), 0.005, (4, size)
    tau = np.arange(step / 2, 300, step)  # beyond, the posterior has less than one part in a million
    weight = 1 / (SE**2 + tau[:, None] ** 2)
    precision, mean = weight.sum(1), (weight * Y).sum(1) / weight.sum(1)
    log = (np.log(weight) - weight * (Y - mean[:, None]) ** 2).sum(1) / 2 - np.log(precision) / 2
    density = prior(tau) * np.exp(log - log.max())
    at = rng.choice(len(tau), shape, p=density / density.sum())
    mu = rng.normal(mean[at], precision[at] ** -0.5)
    within = tau[at] + step * (rng.random(shape) - 0.5)
    variance = 1 / (1 / SE**2 + 1 / within[..., None] ** 2)
    theta = rng.normal(variance * (Y / SE**2 + mu[..., None] / within[..., None] ** 2), np.sqrt(variance))
    return {"mu": mu, "tau": within, "theta": theta}


def by_gibbs(seed, spread, chains=16, size=500, thin=80):
    """A Gibbs sampler as in a homework; `spread` makes what rng.normal gets out of the variance of theta."""
    rng, kept = np.random.default_rng(seed), []
    mu, tau = np.full((chains, 1), Y.mean()), np.full((chains, 1), 10.0)
    for sweep in range(-500, size * thin):
        variance = 1 / (1 / SE**2 + 1 / tau**2)
        theta = rng.normal(variance * (Y / SE**2 + mu / tau**2), spread(variance))
        mu = rng.normal(theta.mean(1, keepdims=True), tau / np.sqrt(8))
        squares = np.sum((theta - mu) ** 2, axis=1, keepdims=True)
        tau = np.sqrt(squares / rng.chisquare(7, (chains, 1)))  # p(tau) = 1 leaves seven degrees of freedom
        if sweep >= 0 and sweep % thin == 0:
            kept.append((mu[:, 0], tau[:, 0], theta))
    mu, tau, theta = (np.stack(draws, axis=1) for draws in zip(*kept, strict=True))
    return {"mu": mu, "tau": tau, "theta": theta}


def in_pymc(path, *, centered, draws, tune=1000, init="jitter+adapt_diag", **asked):
    """Save what PyMC returns for a model that its user wrote, under the user's names."""
    from analyses.engines import nuts  # noqa: F401  sets a flag before PyMC is imported: draws are those of the seed

    import pymc as pm  # isort: skip

    with pm.Model(coords={"where": list(SCHOOLS)}):
        average, spread = pm.Flat("average"), pm.HalfFlat("spread")
        if centered:
            effect = pm.Normal("effect", average, spread, dims="where")
        else:
            effect = pm.Deterministic("effect", average + spread * pm.Normal("z", dims="where"), dims="where")
        pm.Normal("y", effect, SE, observed=Y)
        tree = pm.sample(
            draws=draws, tune=tune, chains=4, cores=1, random_seed=71, init=init,
            progressbar=False, quiet=True, compute_convergence_checks=False, **asked,
        )  # fmt: skip
    tree.to_netcdf(path, engine="h5netcdf")
    return path


NAMES = ("--rename", "average=mu", "--rename", "spread=tau", "--rename", "effect=theta")


@pytest.fixture(scope="module")
def right():
    """Independent draws of eight schools, 4 x 1000."""
    posterior = exact.posterior(eight_schools.statement()).draw(draws=1000, chains=4, rng=np.random.default_rng(72))
    return {name: posterior["posterior"][name].values for name in ("mu", "tau", "theta")}


# --- right ones pass -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_pymc_of_a_stranger_passes(tmp_path, capsys):
    """A model written without this package, with names and a dimension of its own, noncentered; z is nobody's."""
    path = in_pymc(tmp_path / "mine.nc", centered=False, draws=2000, target_accept=0.99)
    out = passed(capsys, path, *NAMES)
    assert smallest_size(out) > 1000
    assert "not looked at: z\n" in out


def test_pymc_of_this_package_passes(tmp_path, capsys):
    """The whole tree as the engine returns it, kappa and sd_between with it."""
    from analyses.engines import nuts

    rng = np.random.default_rng(73)
    tree = nuts.sample(eight_schools.statement(), draws=2000, target_accept=0.99, seed=73, rng=rng)
    tree.to_netcdf(tmp_path / "nuts.nc", engine="h5netcdf")
    out = passed(capsys, tmp_path / "nuts.nc")
    assert smallest_size(out) > 1000
    assert "in 76 figures" in out


NUMPYRO = os.environ.get("PARTIAL_POOLING_NUMPYRO")
IN_NUMPYRO = """
import sys

import jax
import numpy as np
import numpyro
from numpyro import distributions as dist

y, se = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def model():
    mu = numpyro.sample("mu", dist.ImproperUniform(dist.constraints.real, (), ()))
    tau = numpyro.sample("tau", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with numpyro.plate("schools", 8):
        theta = numpyro.deterministic("theta", mu + tau * numpyro.sample("z", dist.Normal(0, 1)))
        numpyro.sample("y", dist.Normal(theta, se), obs=y)


nuts = numpyro.infer.NUTS(model, target_accept_prob=0.99)
chains = {"num_chains": 4, "chain_method": "vectorized", "progress_bar": False}
mcmc = numpyro.infer.MCMC(nuts, num_warmup=1000, num_samples=3000, **chains)
mcmc.run(jax.random.key(74))
draws = mcmc.get_samples(group_by_chain=True)
np.savez(sys.argv[1], **{name: np.asarray(values, float) for name, values in draws.items()})
"""


@pytest.mark.slow
@pytest.mark.skipif(not NUMPYRO, reason="PARTIAL_POOLING_NUMPYRO names no Python that has numpyro")
def test_numpyro_passes(tmp_path, capsys):
    """Another language of models, another NUTS, another differentiation; flat densities there are improper too.

    In an environment of its own: PyMC would import it, and JAX's threads do not go with the forks of other tests.
    """
    subprocess.run([NUMPYRO, "-c", IN_NUMPYRO, tmp_path / "draws.npz"], check=True, timeout=300)
    found = dict(np.load(tmp_path / "draws.npz"))
    out = passed(capsys, saved(tmp_path / "numpyro.csv", frame(found, labels=range(1, 9))))
    assert smallest_size(out) > 1000
    assert "4 chains of 3000 draws" in out


def test_a_sampler_written_by_hand_passes(tmp_path, capsys):
    out = passed(capsys, saved(tmp_path / "grid.csv", frame(by_grid(75))))
    assert smallest_size(out) > 10_000
    assert "4 chains of 5000 draws" in out


def test_a_gibbs_sampler_written_by_hand_passes(tmp_path, capsys):
    """It is the wrong one below but for a root."""
    out = passed(capsys, saved(tmp_path / "gibbs.csv", frame(by_gibbs(76, np.sqrt))))
    assert smallest_size(out) > 1000


# --- wrong ones do not -----------------------------------------------------------------------------------------------


def test_a_centered_model_that_never_enters_the_neck_is_rejected(tmp_path, capsys):
    """With default settings: steps that suit the funnel's mouth cannot enter where tau is small, and no mean tells."""
    out = rejected(capsys, in_pymc(tmp_path / "mine.nc", centered=True, draws=1000), *NAMES)
    assert re.search(r"  tau is too large: [01]\.\d% of the draws lie below 0\.4856, the 5% quantile", out)
    assert "they agree with" not in out


@pytest.mark.parametrize("tune", [0, 20])
def test_a_centered_model_stuck_in_the_neck_is_rejected(tune, tmp_path, capsys):
    """Started at tau = .01, where steps are small or all diverge: chains that hardly move are no sample."""
    start = {"average": 8.0, "spread": 0.01, "effect": np.full(8, 8.0)}
    asked = {"tune": tune, "init": "adapt_diag", "initvals": start, "nuts": {"max_treedepth": 4}}
    path = in_pymc(tmp_path / "mine.nc", centered=True, draws=500, **asked)
    out = rejected(capsys, path, *NAMES)
    assert re.search("These draws cannot be trusted: .*(R-hat of|effective sample size of)", out)
    assert "tau is too small" in out


def half_cauchy(scale):
    return lambda tau: 1 / (1 + (tau / scale) ** 2)


@pytest.mark.parametrize("scale", [5, 25])
def test_another_prior_is_named(scale, tmp_path, capsys):
    """Right draws of another posterior: the sentence says which, and only that one."""
    draws = by_grid(77, half_cauchy(scale), size=10_000)
    out = rejected(capsys, saved(tmp_path / "grid.csv", frame(draws)))
    assert re.findall("agree with (.*)", out) == [
        f"eight_schools_half_cauchy_{scale}: mu ~ Uniform(), tau ~ HalfCauchy({scale})"
    ]
    passed(capsys, tmp_path / "grid.csv", study=f"eight_schools_half_cauchy_{scale}")


@pytest.mark.parametrize(("power", "taken"), [(2, "squares"), (0.5, "square roots")])
def test_a_variance_in_the_place_of_an_sd_is_named(power, taken, right, tmp_path, capsys):
    """All else is right, so nothing but tau is told of."""
    out = rejected(capsys, saved(tmp_path / "draws.csv", frame(right | {"tau": right["tau"] ** power})))
    assert f"tau agrees if its draws are taken for {taken}: a variance and an sd are exchanged" in out
    assert re.findall(r"  (\S+) is too", out) == ["tau"]


def test_a_gibbs_sampler_that_takes_a_variance_for_an_sd_is_rejected(tmp_path, capsys):
    """rng.normal wants an sd: a homework's commonest error, in theta, which all else depends on."""
    out = rejected(capsys, saved(tmp_path / "gibbs.csv", frame(by_gibbs(78, lambda variance: variance, thin=4))))
    assert re.search(r"  theta\[[A-H]\] is too", out)
    assert re.search(r"  tau is too", out)


def test_labels_that_are_exchanged_are_found(right, tmp_path, capsys):
    """Matching by label matters: A is the highest of the eight, E the lowest."""
    out = rejected(capsys, saved(tmp_path / "draws.csv", frame(right, labels="EBCDAFGH")))
    assert set(re.findall(r"  (\S+) is too (\w+)", out)) <= {("theta[E]", "large"), ("theta[A]", "small")}


# --- what cannot be read ---------------------------------------------------------------------------------------------

SHORT = "chain,mu,tau,theta[B]\n" + "".join(f"{chain},{i},1,{i + chain}\n" for chain in (1, 2) for i in (1, 2, 3))
FAULTS = {
    "missing file": (None, (), ["table.csv", "no such file"]),
    "no chain": (SHORT.replace("chain", "run"), (), ["no column `chain`", "run, mu, tau"]),
    "lengths": (SHORT + "2,4,1,4\n", (), ["chains have 3 to 4 draws"]),
    "no number": (SHORT.replace("2,3,1,5", "2,3,1,nan"), (), ["theta", "draw 3 of chain 2", "no finite number"]),
    "infinite": (SHORT.replace("1,2,1,3", "1,inf,1,3"), (), ["mu", "draw 2 of chain 1", "no finite number"]),
    "a cell left out": (SHORT.replace("1,2,1,3", "1,,1,3"), (), ["mu", "draw 2 of chain 1", "no finite number"]),
    "text": (SHORT.replace("1,2,1,3", "1,two,1,3"), (), ["mu is not made of numbers"]),
    "empty": ("", (), ["no CSV file"]),
    "no chain's name": ("chain,mu\n1,1\n1,2\n,3\n2,4\n2,5\n", (), ["chain"]),
    "a name twice": ("chain,mu,mu\n" + "1,1,2\n1,2,1\n" * 9, (), ["mu"]),
    "only a header": ("chain,mu,tau\n", (), ["no draws"]),
    "only chains": ("chain\n1\n2\n", (), ["nothing to compare", "mu"]),
    "neither": (b"\x89HDF\r\n\x1a\n" * 9, (), ["no CSV file"]),
    "nothing to compare": (SHORT.replace("mu,tau,theta", "a,b,c"), (), ["nothing to compare", "a, b, c", "--rename"]),
    "seven": ("".join(["chain,", *(f"theta[{k}]," for k in range(1, 8)), "mu\n", "1,1,1,1,1,1,1,1,1\n"]), (),
              ["theta has 7 entries where the reference has 8"]),
    "eight mus": ("chain,mu[1],mu[2]\n1,1,1\n", (), ["mu has 2 entries where the reference has a single number"]),
    "other labels": ("".join(["chain,", *(f"theta[{k}]," for k in "ABCDEFGZ"), "mu\n", "1,1,1,1,1,1,1,1,1,1\n"]), (),
                     ["theta", "Z"]),
    "--rename of nothing": (SHORT, ("--rename", "m=mu"), ["--rename m", "mu, tau, theta"]),
    "--rename to nothing": (SHORT, ("--rename", "mu=m"), ["--rename mu=m", "eight_schools has", "mu", "theta"]),
    "--rename twice": (SHORT, ("--rename", "mu=tau", "--rename", "tau=tau"), ["--rename", "tau", "twice"]),
    **{f"--rename {bad!r}": (SHORT, ("--rename", bad), [f"--rename {bad}: write THEIRS=OURS"])
       for bad in ("mu", "=mu", "mu=", "=")},
}  # fmt: skip
"""Content of a file, what is asked of it, and what the one line on standard error must say."""


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(fault, tmp_path, capsys):
    content, arguments, said = FAULTS[fault]
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    err = refused(capsys, path, *arguments)
    assert [part for part in said if part not in err] == []
    assert err.startswith("usage:") or err.count("\n") == 1


@pytest.mark.parametrize(
    ("asked", "near"), [("eight_school", "'eight_schools'"), ("Blood_pressure", "'blood_pressure'")]
)
def test_a_study_that_is_not_there_is_refused_with_the_nearest(asked, near, right, tmp_path, capsys):
    err = refused(capsys, saved(tmp_path / "draws.csv", frame(right)), study=asked)
    assert f"{asked!r}: did you mean {near}?" in err


def test_without_a_study_all_are_listed(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([str(tmp_path / "draws.csv")])
    assert left.value.code == 2
    assert ", ".join(reference.names()) in capsys.readouterr().err


def netcdf(path, groups):
    xr.DataTree.from_dict(groups).to_netcdf(path, engine="h5netcdf")
    return path


def test_netcdf_without_a_posterior_is_refused(right, tmp_path, capsys):
    """The prior's draws are there, and are not taken for the posterior's."""
    prior = xr.Dataset({"mu": (SAMPLE, right["mu"])})
    err = refused(capsys, netcdf(tmp_path / "prior.nc", {"prior": prior}))
    assert "no group `posterior`" in err
    assert "there is prior" in err


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256)) * 4, b"\x89HDF\r\n\x1a\n"])
def test_what_is_neither_netcdf_nor_csv_is_refused(content, tmp_path, capsys):
    path = tmp_path / "draws.nc"
    path.write_bytes(content)
    assert refused(capsys, path).startswith("draws.nc: neither netCDF nor a CSV file")


def test_a_draw_in_netcdf_that_is_no_number_is_named(right, tmp_path, capsys):
    """Also where the dimensions come in another order."""
    theta = right["theta"].copy()
    theta[2, 17, 4] = np.nan
    posterior = xr.Dataset({"theta": (("school", "draw", "chain"), theta.T)})
    err = refused(capsys, netcdf(tmp_path / "draws.nc", {"posterior": posterior}))
    assert "theta: draw 18 of chain 3 is no finite number" in err


# --- what is matched with what ---------------------------------------------------------------------------------------

DRESSES = {
    "theta[A]": {},
    "theta[H] to theta[A]": {"labels": SCHOOLS[::-1]},
    "theta[1], in no order": {"labels": [3, 1, 2, 8, 4, 5, 7, 6]},
    "theta[0]": {"labels": range(8)},
    "theta.1": {"entry": "theta.{}", "labels": range(1, 9)},
    "R's posterior": {"labels": range(1, 9), "chain": ".chain", "draw": ".draw"},
    "CmdStanPy's draws_pd": {"labels": range(1, 9), "chain": "chain__", "draw": "draw__"},
}


@pytest.mark.parametrize("dress", DRESSES)
def test_entries_are_matched(dress, right, tmp_path, capsys):
    """The schools' posteriors differ, so that a wrong order would be told."""
    options = DRESSES[dress]
    labels = [str(k) for k in options.get("labels", SCHOOLS)]
    ordered = np.argsort([SCHOOLS.index(k) if k in SCHOOLS else int(k) for k in labels]).argsort()
    out = passed(capsys, saved(tmp_path / "d.csv", frame(right | {"theta": right["theta"][..., ordered]}, **options)))
    assert "in 40 figures" in out
    assert "not looked at" not in out


def test_the_comments_of_stan_are_passed_over(right, tmp_path, capsys):
    """At the head, between warmup and draws, and at the end."""
    table = frame(right, entry="theta.{}", labels=range(1, 9)).assign(lp__=-1.0, divergent__=0)
    head, *rows = table.to_csv(index=False).splitlines()
    lines = [
        "# stan_version_major = 2",
        "#   num_samples = 1000",
        head,
        "# Step size = 0.4",
        *rows,
        "#",
        "# 0.1 seconds",
    ]
    path = tmp_path / "stan.csv"
    path.write_text("\n".join(lines) + "\n")
    assert "not looked at: lp__, divergent__\n" in passed(capsys, path)


def test_rows_of_chains_may_alternate(right, tmp_path, capsys):
    """A draw of each chain in turn: what belongs to a chain is told by its column, not by its place."""
    table = frame(right)
    turn = np.arange(len(table)).reshape(4, -1).T.ravel()
    tables = []
    for name, rows in (("one.csv", table), ("two.csv", table.iloc[turn])):
        passed(capsys, saved(tmp_path / name, rows), "--table", tmp_path / f"table-{name}")
        tables.append((tmp_path / f"table-{name}").read_text())
    assert tables[0] == tables[1]


def test_netcdf_of_old_with_numbered_dimensions_is_read(right, tmp_path, capsys):
    posterior = xr.Dataset(
        {
            "mu": (SAMPLE, right["mu"]),
            "tau": (SAMPLE, right["tau"]),
            "theta": ((*SAMPLE, "theta_dim_0"), right["theta"]),
        },
        {"chain": np.arange(4), "draw": np.arange(1000), "theta_dim_0": np.arange(8)},
    )
    stats = xr.Dataset({"lp": (SAMPLE, right["mu"])})
    out = passed(capsys, netcdf(tmp_path / "draws.nc", {"posterior": posterior, "sample_stats": stats}))
    assert "4 chains of 1000 draws" in out
    assert "in 40 figures" in out


@pytest.mark.parametrize("name", ["beta", "beta[1]", "beta[treatment]", "b_treatment"])
def test_a_single_coefficient_needs_no_label(name, shipped, tmp_path, capsys):
    table = pd.read_csv(shipped("blood_pressure")).rename(columns={"beta[treatment]": name})
    rename = ("--rename", "b_treatment=beta") if name == "b_treatment" else ()
    path = saved(tmp_path / "draws.csv", table[["chain", name, "mu"]])
    assert "in 8 figures" in passed(capsys, path, *rename, study="blood_pressure")


def test_what_the_reference_lacks_is_listed(right, tmp_path, capsys):
    """Eight names and no more: a file of Stan's may have hundreds."""
    table = frame(right).assign(**{f"x{k}": 0.0 for k in range(9)})
    out = passed(capsys, saved(tmp_path / "draws.csv", table))
    assert "not looked at: x0, x1, x2, x3, x4, x5, x6, x7 and more\n" in out


@pytest.mark.parametrize("column", [{"model": "mine"}, {"diverging": False}, {"gap": np.nan}])
def test_a_column_that_is_not_looked_at_may_hold_anything(column, right, tmp_path, capsys):
    """A name, a flag, a quantity that is sometimes undefined: nothing that is compared depends on it."""
    out = passed(capsys, saved(tmp_path / "draws.csv", frame(right).assign(**column)))
    assert f"not looked at: {next(iter(column))}\n" in out


@pytest.mark.parametrize("chains", [1, 2])
def test_few_chains_are_read_too(chains, right, tmp_path, capsys):
    table = frame({name: values.reshape(chains, -1, *values.shape[2:]) for name, values in right.items()})
    out = passed(capsys, saved(tmp_path / "draws.csv", table))
    assert f": {chains} chain" in out
    assert ("nothing can tell whether it has seen all" in out) is (chains == 1)


def test_a_name_of_theirs_stands_back_behind_one_that_is_renamed_to_it(right, tmp_path, capsys):
    """Their tau may be a variance, and the sd have a name of its own."""
    table = frame(right).rename(columns={"tau": "sd_school"}).assign(tau=right["tau"].ravel() ** 2)
    out = passed(capsys, saved(tmp_path / "draws.csv", table), "--rename", "sd_school=tau")
    assert "not looked at: tau\n" in out


def test_rows_out_of_order_are_put_in_the_order_of_their_draws(right, tmp_path, capsys):
    """Else shuffled rows would hide that draws are correlated."""
    table = frame(right, draw="draw")
    shuffled = table.sample(frac=1, random_state=1)
    one, two = (read(saved(tmp_path / f"{k}.csv", t)).sortby("chain") for k, t in enumerate((table, shuffled)))
    assert one.identical(two)


def test_the_table_has_every_figure(right, tmp_path, capsys):
    """Mean and three shares of ten quantities, each with the error that would have been found."""
    out = passed(capsys, saved(tmp_path / "draws.csv", frame(right)), "--table", tmp_path / "table.csv")
    found = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert len(found) == 40
    assert {*found["variable"]} == {"mu", "tau", "theta"}
    worst = found.loc[found["statistic"] == "mean", "smallest"].max()
    assert f"down to {worst:.2g} posterior sds in a mean" in out


def test_a_table_that_cannot_be_written_is_named(right, tmp_path, capsys):
    table = tmp_path / "nowhere" / "table.csv"
    status, _, err = audited(capsys, saved(tmp_path / "draws.csv", frame(right)), "--table", table)
    assert status == 2
    assert err.startswith(str(table.parent))


# --- the chance of a wrong verdict -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Files of independent draws of the references, each made once."""
    folder = tmp_path_factory.mktemp("shipped")

    def file(name):
        path = folder / f"{name}.csv"
        if not path.exists():
            assert make([name, "--draws", str(path), "--size", "4000"]) == 0
        return path

    return file


SLOW = {"math_test_general"}  # its posterior takes twenty seconds
EVERY = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in reference.names()]


@pytest.mark.parametrize("name", EVERY)
def test_independent_draws_of_every_reference_pass(name, shipped, capsys):
    """All that a reference has is compared: its means where they exist, and three shares of each quantity."""
    rows = reference.load(name).table
    figures = 3 * len(rows) + rows["mean"].notna().sum()
    assert f"in {figures} figures" in passed(capsys, shipped(name), study=name)


@pytest.mark.parametrize("name", EVERY)
def test_one_wrong_quantity_of_every_reference_is_found(name, shipped, tmp_path, capsys):
    """The last entry of theta moved by half a posterior sd, in draws whose other entries are right."""
    table, sds = pd.read_csv(shipped(name)), reference.load(name).table["sd"]
    column = [c for c in table if c.startswith("theta")][-1]
    key = ("theta", column.removeprefix("theta").strip("[]"))
    table[column] += sds.loc[key] / 2
    out = rejected(capsys, saved(tmp_path / "draws.csv", table), study=name)
    assert re.findall(r"  (\S+) is too (\w+)", out) == [(column, "large")]


def test_quantities_that_another_posterior_has_in_another_shape(shipped, tmp_path, capsys):
    """Wrong draws of theta and sigma of the math test; `normal` has both too, of one group."""
    table = pd.read_csv(shipped("math_test"))
    table = table[["chain", "sigma", *(c for c in table if c.startswith("theta"))]].assign(sigma=table["sigma"] * 2)
    assert "sigma is too large" in rejected(capsys, saved(tmp_path / "d.csv", table), study="math_test")


def test_netcdf_and_csv_of_the_same_draws_say_the_same(shipped, tmp_path, capsys):
    make(["eight_schools", "--draws", str(tmp_path / "e.nc"), "--size", "4000"])
    one, two = (passed(capsys, path).partition("\n")[2] for path in (tmp_path / "e.nc", shipped("eight_schools")))
    assert one == two


def parts(names, size, count, seed):
    """So many sets of 4 x size independent draws of eight schools."""
    posterior = exact.posterior(eight_schools.statement())
    tree = posterior.draw(draws=size * count, chains=4, rng=np.random.default_rng(seed))
    draws = tree["posterior"].dataset[names]
    for k in range(count):
        yield draws.isel(draw=slice(k * size, (k + 1) * size)).copy(deep=True)


def found(draws):
    return findings.audit(xr.DataTree.from_dict({"posterior": draws}), reference.load("eight_schools"), [])


def test_small_right_samples_are_not_called_wrong():
    """Four hundred independent draws, two hundred times: one alarm would have a chance of 1 in 500 by what is said.

    Nor are they passed: an empty tail could not be told.
    """
    said = [f.sentence for f in map(found, parts(["mu", "tau", "theta"], 100, 200, 81))]
    assert [sentence for sentence in said if not sentence.startswith("Too few draws to tell")] == []


def test_a_tail_that_is_missing_cannot_pass(right, tmp_path, capsys):
    """Draws of which none has tau below its 5% quantile: found, or too few to tell, however few they are."""
    low = reference.load("eight_schools").table.loc[("tau", ""), "q5"]
    for size, expected in ((1000, 3), (300, 3), (60, 2)):
        cut = {name: values[:, :size] for name, values in right.items()}
        table = frame(cut)
        table.loc[table["tau"] < low, "tau"] = low * 1.01
        status, out, _ = audited(capsys, saved(tmp_path / "draws.csv", table))
        assert status == expected, out


@pytest.mark.parametrize(("times", "chance"), [(1.0, findings.LIKELY), (1.5, 0.9999)])
def test_the_smallest_error_of_a_mean_is_found(times, chance):
    """As often as is said where it is as large as is said, and as good as always at one and a half times that."""
    runs, sd, seen = 40, reference.load("eight_schools").table.loc[("mu", ""), "sd"], 0
    for draws in parts(["mu", "tau"], 250, runs, 82):
        table = found(draws).table.set_index(["variable", "statistic"])
        moved = draws.assign(mu=draws["mu"] + times * table.loc[("mu", "mean"), "smallest"] * sd)
        again = found(moved)
        seen += not again.passed and any(line.startswith("mu is too large") for line in again.more)
    assert seen >= binom.ppf(CHANCE, runs, chance)


@pytest.mark.parametrize(("statistic", "p"), [("below_q5", 0.05), ("below_q50", 0.5)])
def test_the_smallest_error_of_a_share_is_found(statistic, p):
    """So many more draws below a quantile as are said to be seen, among a thousand, are seen as often as is said.

    Every draw above it is moved below with that chance, so that draws stay independent. All sets are one variable's.
    """
    runs, rng = 400, np.random.default_rng(83)
    labels = [str(k) for k in range(runs)]
    index = pd.MultiIndex.from_product([["x"], labels], names=["variable", "label"])
    rows = {"mean": np.nan, "sd": np.nan, "q5": 0.05, "q50": 0.5, "q95": 0.95}
    uniform = reference.Reference(name="uniform", data="", priors={}, table=pd.DataFrame(rows, index))

    def table(x):
        posterior = xr.Dataset({"x": ((*SAMPLE, "k"), x)}, {"k": labels}, {"engine": "audit"})
        found = findings.audit(xr.DataTree.from_dict({"posterior": posterior}), uniform, []).table
        return found[found["statistic"] == statistic], agreement.limit(agreement.tests(found))

    x = rng.random((4, 250, runs))
    smallest = table(x)[0]["smallest"].to_numpy()
    moved = (x > p) & (rng.random(x.shape) < smallest / (1 - p))
    found, most = table(np.where(moved, p * rng.random(x.shape), x))
    assert (found["z"] > most).sum() >= binom.ppf(CHANCE, runs, findings.LIKELY)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
def test_a_share_is_as_rare_as_its_binomial_says(share):
    """Not as a normal would have it: of 200 draws 20% lying below the 5% quantile have a chance of 6e-14, not 1e-22."""
    table = pd.DataFrame({"ess": [200.7], "value": [share]})
    z = findings._exact_z(table, pd.Series([0.05]))[0]
    law, count = binom(200, 0.05), round(200 * share)
    tail = law.sf(count - 1) if share > 0.05 else law.cdf(count)
    assert norm.sf(abs(z)) == pytest.approx(tail if tail < 0.5 else 1 - tail, rel=1e-9)


def test_an_error_far_below_the_smallest_is_not_found():
    """A tenth of it is within the noise: the figure is no boast the other way, and no alarm is due to it."""
    sd = reference.load("eight_schools").table.loc[("mu", ""), "sd"]
    for draws in parts(["mu"], 500, 20, 85):
        table = found(draws).table.set_index("statistic")
        assert found(draws.assign(mu=draws["mu"] + 0.1 * table.loc["mean", "smallest"] * sd)).passed


def test_a_difference_is_no_alarm_where_there_are_too_few_draws(right, tmp_path, capsys):
    """Twenty draws a chain tell nothing: they are not passed, and are not said to be from another posterior."""
    table = frame({name: values[:, :20] for name, values in right.items()})
    out = rejected(capsys, saved(tmp_path / "draws.csv", table))
    assert "the effective sample size of" in out
    assert "not from this posterior" not in out
