"""The complete conditionals that Gibbs cycles through."""

import pandas as pd

from analyses.report.pages import Section


def conditionals_section(*, beta: bool) -> Section:
    """State the complete conditionals as `TwoLevel.conditionals` has them, with a treatment or without."""
    if beta:
        regression, b = "mu + beta x_i", "mu, beta"
        given_theta = "N((X'X)⁻¹ X'theta, tau² sigma² (X'X)⁻¹), X the columns 1 and x, both at once"
    else:
        regression, b = "mu", "mu"
        given_theta = "N(mean of theta, tau² sigma² / J)"
    rows = [
        (b, given_theta),
        ("sigma²", "InverseGamma((N + J) / 2, (sum_i ss_i + n_i (mean_i - theta_i)² + e'e / tau²) / 2)"),
        ("tau²", "InverseGamma((J + 1) / 2, (1 + e'e / sigma²) / 2)"),
        ("theta_i", f"N(kappa_i ({regression}) + (1 - kappa_i) mean_i, (1 - kappa_i) sigma² / n_i)"),
    ]
    return Section(
        title="C. The model and its complete conditionals",
        text=f"y_ij ~ N(theta_i, sigma²), theta_i ~ N({regression}, tau² sigma²); p({b}) = 1, p(sigma²) = 1/sigma² "
        f"(Jeffreys), tau² ~ InverseGamma(1/2, 1/2). With N rows in J groups, e_i = theta_i - "
        f"{regression.replace(' +', ' -')}, and kappa_i = 1 / (1 + n_i tau²), each parameter given the data and all "
        "others:",
        table=pd.DataFrame(rows, columns=["parameter", "given all else"]),
        note="Each is tested against the joint density that PyMC has of the model, as a function of that parameter.",
    )
