from .audit.outcome import Audit as Audit
from .ingest.request import InputError as InputError
from .table import DataWarning as DataWarning, Fit as Fit, fit as fit
