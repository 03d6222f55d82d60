"""Contracts: what is read from them, and each kind of error with its file and place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from extract.contract import read, read_all
from kehu.errors import ContractError
from kehu.settings import CLONE, SYSTEMS
from tests.extract.conftest import Workplace, column, document, key

COLUMNS = [
    column("updated_at", "timestamp", required=True),
    key("bill_no"),
    column(
        "phone",
        "varchar",
        classification="identifier",
        customProperties=[{"property": "identifier", "value": "phone"}],
    ),
    column("amount", "decimal(18,2)", logicalTypeOptions={"minimum": 0}),
]


def test_everything_derives_from_one_file(place: Workplace) -> None:
    path = place.contract(
        "bills",
        COLUMNS,
        cursor="updated_at",
        lookback="PT10M",
        deletes="key_compare",
        leftOut=[{"column": "remark", "why": "free text"}],
    )

    contract = read(path)

    assert contract.name == "billing.bills"
    assert contract.key == ("bill_no",)
    assert contract.lookback == timedelta(minutes=10)
    assert contract.money == ("amount",)
    assert contract.column("amount").minimum == 0
    assert (contract.column("amount").precision, contract.column("amount").scale) == (18, 2)
    assert contract.left_out == {"remark": "free text"}
    assert contract.arrow_schema.field("amount").type == pa.decimal128(18, 2)
    assert contract.passed_schema.names == [
        *("bill_no", "updated_at", "phone", "amount"),
        *("phone_norm", "phone_hash"),
    ]


def test_every_contract_of_the_project_is_valid() -> None:
    contracts = read_all((CLONE / "extract/contracts", CLONE / "demo/public"))

    assert {contract.system for contract in contracts} == {*SYSTEMS, "steward", "identity"}
    for contract in contracts:
        assert contract.grain.startswith("One row per"), contract.name
        assert contract.is_snapshot == (contract.deletes == "snapshot"), contract.name


Change = Callable[[dict[str, Any]], None]


def table(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["schema"][0]
    return found


def put(name: str, value: object, place: int = 1) -> Change:
    """Set a property of one column."""
    return lambda content: table(content)["properties"][place].__setitem__(name, value)


def custom(name: str, value: object) -> Change:
    return lambda content: content["customProperties"].append({"property": name, "value": value})


def server(**more: object) -> Change:
    entry = {"server": "f", "type": "local", "path": "a.csv", "format": "csv", **more}
    return lambda content: content.__setitem__("servers", [entry])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("version"), "'version' is a required property"),
        (lambda c: c.__setitem__("apiVersion", "v9"), r"\$\.apiVersion"),
        (lambda c: c["schema"].append(c["schema"][0]), "expected exactly one table, found 2"),
        (lambda c: table(c).__setitem__("name", "Bills!"), "a table name is lower case"),
        (put("physicalType", "money"), r"properties\[1\] \(bill_no\).*physicalType 'money'"),
        (put("physicalType", "decimal(9,12)", 3), "a decimal has up to 38 digits"),
        (put("logicalType", "integer"), "logicalType must be 'string'"),
        (put("classification", "secret"), "classification must be one of public"),
        (put("name", "Bill-No"), "a column name is lower case"),
        (put("name", "updated_at"), "the column stands twice"),
        (put("description", ""), "a column needs a description"),
        (put("primaryKey", False), "no column has primaryKey"),
        (put("customProperties", [{"property": "colour", "value": 1}]), "'colour' was unexpected"),
        (put("logicalTypeOptions", {"format": "dd/MMM"}, 0), "'dd/MMM' cannot be read: 'MMM'"),
        (custom("cursor", "changed_at"), "the cursor 'changed_at' is no column"),
        (custom("cursor", "bill_no"), "the cursor 'bill_no' is neither a timestamp nor a date"),
        (custom("lookback", "10 minutes"), "'10 minutes' does not match"),
        (custom("deletes", "guess"), "'guess' is not one of"),
        (custom("maxDeleteShare", 2), "2 is greater than the maximum"),
        (custom("leftOut", [{"column": "phone", "why": "x"}]), "leftOut names 'phone'"),
        (server(path="../up.csv"), "must lie below the source folder"),
        (server(format="ods"), "the format must be one of csv, parquet, xlsx, not 'ods'"),
        (
            server(customProperties=[{"property": "delimiter", "value": "ab"}]),
            "'ab' is too long",
        ),
        (put("name", "_row"), "_row needs a file"),
    ],
)
def test_each_error_names_file_and_place(place: Workplace, change: Change, message: str) -> None:
    content = document("billing", "bills", COLUMNS)
    content = yaml.safe_load(yaml.safe_dump(content))
    change(content)
    path = place.root / "bills.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")

    with pytest.raises(ContractError, match=message) as refused:
        read(path)

    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [b"a: [1, 2", b"\xff\xfe\x00", b"- only\n- a list\n", b""])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bills.yaml"
    path.write_bytes(content)

    with pytest.raises(ContractError) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_folders_are_checked_too(place: Workplace) -> None:
    path = place.contract("bills", COLUMNS)
    with pytest.raises(ContractError, match="does not exist"):
        read_all([place.root / "nothing"])

    moved = path.rename(path.with_name("invoices.yaml"))
    with pytest.raises(ContractError, match=r"The contract describes billing\.bills"):
        read_all([place.root / "contracts"])

    moved.rename(path)
    other = Workplace(place.root / "other")
    other.contract("bills", COLUMNS)
    with pytest.raises(ContractError, match=r"Two contracts describe billing\.bills"):
        read_all([place.root / "contracts", place.root / "other" / "contracts"])
