"""TLS to PostgreSQL and MariaDB: a server that does not prove who it is gets no password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from extract.connectors import base
from kehu.errors import AccessError
from tests import own_servers
from tests.extract.conftest import Workplace, key

NAME = "billing.example.org"
"""What the certificate is for; no server of this name is ever asked."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    chain, secret = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1", "-keyout", secret,
         "-out", chain],
        check=True, capture_output=True,
    )  # fmt: skip
    return chain, secret


@pytest.fixture(scope="module", params=["postgres", "mariadb"])
def server(
    request: pytest.FixtureRequest,
    certificate: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str]]:
    """Kind and URL of a server of one's own that offers TLS; the name is `localhost`'s."""
    if lacking := own_servers.missing(request.param):
        pytest.skip(f"{lacking} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    for path in certificate:
        copy = folder / path.name
        copy.write_bytes(path.read_bytes())
        own_servers.belonging(copy)
    chain, secret = folder / "server.pem", folder / "server.key"
    if request.param == "postgres":
        options = ["ssl=on", f"ssl_cert_file={chain}", f"ssl_key_file={secret}"]
        with own_servers.own_postgres(folder, options) as port:
            yield "postgres", f"postgresql://postgres:s3cret@127.0.0.1:{port}/postgres"
    else:
        with own_servers.own_mariadb(folder, [f"ssl-cert={chain}", f"ssl-key={secret}"]) as port:
            yield "mariadb", f"mysql://root@127.0.0.1:{port}/mysql"


def asked_for(kind: str, ca: Path | None) -> str:
    """The parameters that demand a verified certificate."""
    if kind == "postgres":
        return "?sslmode=verify-full" + (f"&sslrootcert={ca}" if ca else "&sslrootcert=system")
    return "?ssl_mode=verify_identity" + (f"&ssl_ca={ca}" if ca else "")


def is_encrypted(place: Workplace, kind: str) -> bool:
    from extract.connectors import open_snapshot

    with open_snapshot("billing", place.url, []) as snapshot:
        cursor = snapshot._connection.cursor()  # type: ignore[attr-defined]
        if kind == "postgres":
            cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return bool(cursor.fetchone()[0])
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        return bool(cursor.fetchone()[1])


def test_only_a_certificate_of_a_known_authority_and_name_is_accepted(
    server: tuple[str, str],
    certificate: tuple[Path, Path],
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base.time, "sleep", lambda _: pytest.fail("tried again"))
    kind, url = server
    place.contract("bills", [key("bill_no")])

    place.url = url + asked_for(kind, certificate[0])
    assert is_encrypted(place, kind)

    for wrong in (
        url + asked_for(kind, None),
        url.replace("127.0.0.1", "localhost") + asked_for(kind, certificate[0]),
    ):
        place.url = wrong
        with pytest.raises(AccessError, match=r"(?i)certificate") as refused:
            place.extract()
        assert "s3cret" not in str(refused.value)


def test_off_this_machine_verification_is_not_asked_for_but_done(
    server: tuple[str, str],
    certificate: tuple[Path, Path],
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is not loopback, led to it: the URL says nothing of TLS."""
    kind, url = server
    place.contract("bills", [key("bill_no")])
    if kind == "postgres":
        elsewhere = url.replace("127.0.0.1", NAME) + "?hostaddr=127.0.0.1"
    else:
        monkeypatch.setattr(base, "is_loopback", lambda host: False)
        elsewhere = url

    place.url = elsewhere
    with pytest.raises(AccessError, match=r"(?i)certificate"):
        place.extract()

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert is_encrypted(place, kind)


@pytest.mark.mariadb
def test_a_server_without_tls_is_refused_where_tls_is_asked_for(
    request: pytest.FixtureRequest, place: Workplace, certificate: tuple[Path, Path]
) -> None:
    place.contract("bills", [key("bill_no")])
    url = request.getfixturevalue("mariadb_database")
    place.url = url + asked_for("mariadb", certificate[0])

    with pytest.raises(AccessError, match=r"(?i)ssl"):
        place.extract()


def test_parameters_that_are_not_known_are_not_passed_over(place: Workplace) -> None:
    """`sslmode` is PostgreSQL's: in a URL of MariaDB it would promise what nobody keeps."""
    place.contract("bills", [key("bill_no")])
    place.url = "mysql://root:s3cret@127.0.0.1:9/none?sslmode=verify-full"

    with pytest.raises(AccessError, match="sslmode") as refused:
        place.extract()
    assert "s3cret" not in str(refused.value)
