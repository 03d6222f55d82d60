"""Data contracts: what a source table promises, in the Open Data Contract Standard's form.

In: one YAML file per table, `<dir>/<system>/<table>.yaml`. Out: a frozen `Contract` from which the
extraction query, the Parquet schema, the raw table, the structural expectations, the dbt sources
and the privacy classes derive. Touches: reads the YAML files only.

Standard: Open Data Contract Standard 3.2 (Bitol, Linux Foundation). What the standard has no word
for stands in its `customProperties`; `extract.contract_rules` checks both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from extract import contract_policy, contract_servers
from extract.contract_policy import DeletedWhen, DriftPolicy, Volume
from extract.contract_rules import (
    CLASSES,
    DECIMAL,
    IDENTIFIERS,
    ROW_POSITION,
    custom_properties,
    problems_in,
)
from extract.contract_servers import ApiSource, FileSource
from kehu.errors import ContractError
from kehu.settings import ADDED_COLUMNS

__all__ = [
    "CLASSES",
    "IDENTIFIERS",
    "ROW_POSITION",
    "ApiSource",
    "Column",
    "Contract",
    "FileSource",
    "read",
    "read_all",
]

# libyaml's loader where it is built in: reading all contracts costs a tenth of the time.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ARROW: Mapping[str, pa.DataType] = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column of a source table."""

    name: str
    physical_name: str
    physical_type: str
    description: str
    required: bool
    primary_key: bool
    classification: str
    identifier: str | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    format: str | None = None
    null_values: tuple[str, ...] = ()
    references: str | None = None
    added: bool = False
    """Whether no contract describes it: a run took it over by policy (`extract.added_columns`)."""

    @property
    def arrow_type(self) -> pa.DataType:
        if match := DECIMAL.match(self.physical_type):
            return pa.decimal128(int(match[1]), int(match[2]))
        return _ARROW[self.physical_type]

    @property
    def precision(self) -> int:
        """Digits of a decimal column; 0 for every other type."""
        match = DECIMAL.match(self.physical_type)
        return int(match[1]) if match else 0

    @property
    def scale(self) -> int:
        """Digits of a decimal column after the point."""
        match = DECIMAL.match(self.physical_type)
        return int(match[2]) if match else 0

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the columns the gate adds: normalised value, keyed hash, pinyin."""
        suffixes = IDENTIFIERS[self.identifier] if self.identifier else ()
        return tuple(self.name + suffix for suffix in suffixes)


@dataclass(frozen=True)
class Contract:
    """One source table's contract. `key` is in key order; `cursor` is None for snapshots.

    `period` names the column with the business date of a row: changes of past months are reported.
    `fresh_within`: some row changes at least so often. `clock_ahead`: how far the source's clock
    may be ahead before its rows are flagged.
    """

    system: str
    table: str
    version: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    path: Path
    deletes: str
    lookback: timedelta
    timezone: str
    clock_ahead: timedelta
    max_quarantine_share: float
    max_delete_share: float
    smallest_sample: int
    volume: Volume
    drift: DriftPolicy
    cursor: str | None = None
    fresh_within: timedelta | None = None
    period: str | None = None
    deleted_when: DeletedWhen | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    file: FileSource | None = None
    api: ApiSource | None = None

    @property
    def name(self) -> str:
        return f"{self.system}.{self.table}"

    @property
    def source_kind(self) -> str:
        """Where the table comes from: database, file or api. A source's URL decides which apply."""
        return "file" if self.file else "api" if self.api else "database"

    @property
    def raw_table(self) -> str:
        """Name of the table in schema `raw` of the warehouse."""
        return f"{self.system}__{self.table}"

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.primary_key)

    @property
    def is_snapshot(self) -> bool:
        """Whether every extraction reads the whole table."""
        return self.cursor is None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def money(self) -> tuple[str, ...]:
        """Decimal columns: control sums are kept for them."""
        return tuple(c.name for c in self.columns if c.physical_type.startswith("decimal"))

    @property
    def arrow_schema(self) -> pa.Schema:
        """Schema of `data.parquet`: the contract's columns, in order."""
        return pa.schema([pa.field(c.name, c.arrow_type) for c in self.columns])

    @property
    def passed_schema(self) -> pa.Schema:
        """Schema of `passed.parquet`: the contract's columns, then what the gate derives."""
        derived = [pa.field(name, pa.string()) for c in self.columns for name in c.derived]
        return pa.schema([*self.arrow_schema, *derived])


def _duration(text: str) -> timedelta:
    amount = int(re.sub(r"\D", "", text))
    unit = {"H": "hours", "M": "minutes", "S": "seconds", "D": "days"}[text[-1]]
    return timedelta(**{unit: amount})


def _column(prop: Mapping[str, Any]) -> Column:
    options = prop.get("logicalTypeOptions") or {}
    custom = custom_properties(prop)
    relationships = prop.get("relationships") or []
    return Column(
        name=prop["name"],
        physical_name=prop.get("physicalName") or prop["name"],
        physical_type=prop["physicalType"],
        description=prop["description"],
        required=bool(prop.get("required")),
        primary_key=bool(prop.get("primaryKey")),
        classification=prop["classification"],
        identifier=custom.get("identifier"),
        enum=tuple(entry["value"] for entry in prop.get("enum") or []),
        minimum=options.get("minimum"),
        exclusive_minimum=options.get("exclusiveMinimum"),
        maximum=options.get("maximum"),
        pattern=options.get("pattern"),
        format=options.get("format"),
        null_values=tuple(custom.get("nullValues") or ()),
        references=relationships[0]["to"] if relationships else None,
    )


def read(path: Path) -> Contract:
    """Read and check one contract.

    Raises `ContractError`, naming the file and every place that is wrong, when the file is not
    readable, breaks the standard's schema, or lacks what Kehu needs on top of it.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(
            f"The contract cannot be read: {error}", where=str(path), do="correct the file"
        ) from error
    if problems := list(problems_in(document)):
        raise ContractError(
            "The contract is not valid:\n    - " + "\n    - ".join(problems),
            where=str(path),
            do="correct the named places; the form is in docs/data_model.md",
        )
    table = document["schema"][0]
    custom = contract_policy.with_defaults(custom_properties(document))
    properties = sorted(
        enumerate(table["properties"]),
        key=lambda item: (item[1].get("primaryKeyPosition", 999), item[0]),
    )
    ordered = [prop for _, prop in properties]
    servers = document.get("servers") or []
    return Contract(
        system=document["domain"],
        table=table["name"],
        version=document["version"],
        description=(document.get("description") or {}).get("purpose", ""),
        grain=table.get("dataGranularityDescription", ""),
        columns=tuple(_column(prop) for prop in ordered),
        path=path,
        deletes=custom["deletes"],
        cursor=custom.get("cursor"),
        lookback=_duration(custom["lookback"]),
        fresh_within=_duration(custom["freshWithin"]) if "freshWithin" in custom else None,
        timezone=custom["timezone"],
        clock_ahead=_duration(custom["clockAhead"]),
        max_quarantine_share=custom["maxQuarantineShare"],
        max_delete_share=custom["maxDeleteShare"],
        smallest_sample=custom["smallestSample"],
        volume=contract_policy.volume(custom),
        drift=contract_policy.drift(custom),
        period=custom.get("period"),
        deleted_when=contract_policy.deleted_when(custom),
        left_out={item["column"]: item["why"] for item in custom.get("leftOut") or []},
        file=contract_servers.file_of(servers, custom_properties),
        api=contract_servers.api_of(servers, custom_properties),
    )


def added_column(name: str, physical_name: str, physical_type: str) -> Column:
    """A column that the source has and no contract describes: may be empty, class most closed."""
    return Column(
        name=name,
        physical_name=physical_name,
        physical_type=physical_type,
        description="New in the source; not described yet.",
        required=False,
        primary_key=False,
        classification=CLASSES[-1],
        added=True,
    )


def added_file(folder: Path, contract: Contract) -> Path:
    """Where the columns that a table got by policy are kept."""
    return folder / contract.system / f"{contract.table}.yaml"


def _with_added(contract: Contract, folders: Iterable[Path]) -> Contract:
    """The contract with the columns that runs added; those it describes by now are its own."""
    known = {c.name for c in contract.columns} | {c.physical_name for c in contract.columns}
    found: list[Column] = []
    for path in (added_file(folder, contract) for folder in folders):
        if path.is_file():
            told = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
            found += [added_column(**entry) for entry in told]
    unknown = [c for c in found if not {c.name, c.physical_name} & (known | set(contract.left_out))]
    return replace(contract, columns=(*contract.columns, *unknown)) if unknown else contract


def read_all(dirs: Iterable[Path], system: str | None = None) -> tuple[Contract, ...]:
    """All contracts under `dirs`, by system and table; of one `system` when named.

    Raises `ContractError` when a folder is missing, or two files describe one table.
    """
    contracts: dict[str, Contract] = {}
    folders = list(dirs)
    added = [folder for folder in folders if folder.name == ADDED_COLUMNS]
    for folder in (each for each in folders if each not in added):
        if not folder.is_dir():
            raise ContractError(
                "The folder of contracts does not exist.",
                where=str(folder),
                do="correct KEHU_CONTRACTS (folders separated by colons)",
            )
        for path in sorted(folder.glob(f"{system or '*'}/*.yaml")):
            contract = _with_added(read(path), added)
            if (contract.system, contract.table) != (path.parent.name, path.stem):
                raise ContractError(
                    f"The contract describes {contract.name}.",
                    where=str(path),
                    do="name file and folder as the contract's domain and table",
                )
            if (other := contracts.get(contract.name)) is not None:
                raise ContractError(
                    f"Two contracts describe {contract.name}.",
                    where=f"{other.path} and {path}",
                    do="delete one of them",
                )
            contracts[contract.name] = contract
    return tuple(contracts[name] for name in sorted(contracts))
