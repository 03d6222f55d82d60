"""The address of a cluster: what a URL means, and that its secret stands nowhere else."""

from __future__ import annotations

import pytest

from kehu.errors import SettingsError
from warehouse.engines.address import Address

SECRET = "Pa55-w;o/r d"


def test_a_connect_url_gives_host_port_and_parameters() -> None:
    found = Address.parse("sc://spark.example:15009/;session_id=4f0c;use_ssl=true")
    assert (found.scheme, found.host, found.port) == ("sc", "spark.example", 15009)
    assert found.remote == "sc://spark.example:15009/;session_id=4f0c;use_ssl=true"
    assert found.dbt_target == "spark"
    assert found.dbt_environment == {"SPARK_REMOTE": found.remote}


def test_usual_ports_are_known() -> None:
    assert Address.parse("sc://spark").remote == "sc://spark:15002"
    assert Address.parse("thrift://spark/?auth=NOSASL").port == 10000


def test_a_thrift_url_gives_the_login() -> None:
    found = Address.parse("thrift://ann:Pa55%2Dw%3Bo%2Fr%20d@spark:10001/?auth=ldap&use_ssl=true")
    assert (found.user, found.secret, found.auth) == ("ann", SECRET, "LDAP")
    assert found.dbt_target == "spark_thrift"
    assert found.dbt_environment == {
        "KEHU_SPARK_HOST": "spark",
        "KEHU_SPARK_PORT": "10001",
        "KEHU_SPARK_USER": "ann",
        "KEHU_SPARK_AUTH": "LDAP",
        "KEHU_SPARK_SSL": "true",
        "DBT_ENV_SECRET_KEHU_SPARK_PASSWORD": SECRET,
    }


def test_the_secret_stands_in_no_repr() -> None:
    for scheme, options in (("sc", {}), ("thrift", {"auth": "CUSTOM"})):
        address = Address.of(scheme, "spark", 1, "ann", SECRET, options)
        assert SECRET not in repr(address) + address.shown
    token = Address.of("sc", "spark", 1, None, SECRET, {})
    assert Address.parse(token.remote).secret == SECRET


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("spark://host:7077", "is no address of Spark"),
        ("sc://", "is no address of Spark"),
        ("thrift://ann:S3cret@host:port", "is no URL"),
        ("thrift://ann:S3cret@host/?auth=PAM", "none of NOSASL"),
        ("thrift://ann:S3cret@host/?auth=NOSASL", "exactly when auth is LDAP or CUSTOM"),
        ("thrift://ann@host/?auth=LDAP", "exactly when auth is LDAP or CUSTOM"),
    ],
)
def test_an_unusable_address_is_refused_without_its_secret(url: str, reason: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Address.parse(url)
    assert reason in raised.value.what
    assert "KEHU_SPARK_URL" in raised.value.where
    assert "S3cret" not in str(raised.value)
