"""Data as the likelihood sees them: means or estimates with their noise, and counts out of trials or an exposure."""

from models.groups.counts import Counts
from models.groups.estimates import Estimates
from models.groups.grouped_data import Groups
from models.groups.labelled import Positions
from models.groups.proportions import Proportions
from models.groups.replicates import Replicates

__all__ = ["Counts", "Estimates", "Groups", "Positions", "Proportions", "Replicates"]
