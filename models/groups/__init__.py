"""Data as the likelihood sees them: size, mean and sum of squares of each group, or estimates and standard errors."""

from models.groups.estimates import Estimates
from models.groups.grouped_data import Groups, Positions
from models.groups.replicates import Replicates

__all__ = ["Estimates", "Groups", "Positions", "Replicates"]
