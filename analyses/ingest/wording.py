"""How a front end calls itself and its options: messages speak its language."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """How a front end calls itself and its options.

    Attributes
    ----------
    subject : str
        What "needs" a column: "one_way" on the command line.
    option : str
        Format of an option's name: "--{}" or "{}=".
    covariates, priors : str
        Options that take several: "--covariate", "covariates".
    """

    subject: str
    option: str
    covariates: str
    priors: str

    def named(self, name: str) -> str:
        """Name of an option, with the hyphens or underscores of the front end."""
        hyphenated = name.replace("_", "-") if self.option.startswith("-") else name
        return self.option.format(hyphenated)

    def setting(self, name: str, value: object) -> str:
        """An option with its value, ready to type.

        Examples
        --------
        >>> COMMAND_LINE.setting("delimiter", ";"), PYTHON.setting("delimiter", ";")
        ("--delimiter ';'", "delimiter=';'")
        """
        if self.option.startswith("-"):
            return f"{self.named(name)} {shlex.quote(str(value))}"
        return f"{self.named(name)}{[value]!r}" if name == "categorical" else f"{self.named(name)}{value!r}"

    def filled(self, text: str) -> str:
        """A text in which ⟨name⟩ and ⟨name value⟩ stand for options.

        Examples
        --------
        >>> COMMAND_LINE.filled("pass ⟨missing drop⟩"), PYTHON.filled("pass ⟨missing drop⟩")
        ('pass --missing drop', "pass missing='drop'")
        """
        return OPTION.sub(lambda of: self.setting(of[1], of[2]) if of[2] else self.named(of[1]), text)

    def listed(self, names: Iterable[str]) -> str:
        """Names of options, separated by commas."""
        return ", ".join(map(self.named, names))


OPTION = re.compile(r"⟨(\w+)(?: ([^⟨⟩]+))?⟩")
COMMAND_LINE = Wording("one_way", option="--{}", covariates="--covariate", priors="--prior")
PYTHON = Wording("a fit of groups", option="{}=", covariates="covariates", priors="priors")
