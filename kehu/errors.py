"""Errors for people: each says what failed, where, and what to do about it."""

from __future__ import annotations


class KehuError(Exception):
    """A failure that a person can act on.

    `what` failed, `where` (file, system, table, batch, row) and what to `do`. Never put a cell's
    value or a password into any of the three: messages reach logs and the Airflow UI.
    """

    def __init__(self, what: str, *, where: str, do: str) -> None:
        super().__init__(what, where, do)
        self.what, self.where, self.do = what, where, do

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  do:    {self.do}"


class SettingsError(KehuError):
    """A setting is missing or cannot be used."""


class ContractError(KehuError):
    """A data contract is unreadable or breaks the standard or our rules on top of it."""


class SourceError(KehuError):
    """A source system cannot be reached or does not hold what its contract says."""


class AccessError(SourceError):
    """A source refuses us: wrong password, no rights, unknown database. Waiting does not help."""


class DriftError(SourceError):
    """A source table differs from its contract in a way the contract says must stop the run."""


class LandingError(KehuError):
    """A landed file is missing, incomplete, or not what its manifest says."""


class StorageError(KehuError):
    """The bucket that holds landing cannot be reached or does not answer. Waiting may help."""


class StorageAccessError(StorageError):
    """The bucket refuses us or does not exist. Waiting does not help."""


class ValidationError(KehuError):
    """A batch must not be loaded: validation failed, or did not run."""


class WarehouseError(KehuError):
    """The warehouse refused a load, a build or a publish."""


class AnalysisError(KehuError):
    """A table cannot be analysed as asked: it does not hold what the computation needs."""
