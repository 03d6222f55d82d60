"""HTTP APIs: every way of paging, and a server that limits, fails, truncates, hangs and lies."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from extract.connectors import pages
from kehu.errors import AccessError, DriftError, SourceError
from tests.extract.conftest import Workplace, column, document, key

COLUMNS = [
    key("invoice_no", physicalName="id"),
    column("customer", "varchar", physicalName="customer.name", classification="personal"),
    column("amount", "decimal(18,2)"),
    column("updated_at", "timestamp"),
]


@dataclass
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    handler: BaseHTTPRequestHandler

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)


@dataclass
class Server:
    """A real server in a thread; `act` answers each request."""

    port: int = 0
    act: Callable[[Request], None] = lambda _: None
    seen: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/base"


def serving(server: Server, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            request = Request(parts.path, dict(parse_qsl(parts.query)), dict(self.headers), self)
            server.seen.append(request)
            server.act(request)

        def log_message(self, *arguments: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        running.socket = context.wrap_socket(running.socket, server_side=True)
    server.port = running.server_address[1]
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    return running


@pytest.fixture
def server(place: Workplace) -> Iterator[Server]:
    server = Server()
    running = serving(server)
    place.url = server.url
    yield server
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been waited for."""
    waited: list[float] = []
    monkeypatch.setattr(pages.time, "sleep", waited.append)
    return waited


def contract(place: Workplace, paging: Any = None, columns: Any = COLUMNS, **more: Any) -> None:
    custom = {"path": "/v1/invoices", "records": "data.items", **more}
    if paging:
        custom["paging"] = paging
    content = document("billing", "invoices", columns, deletes="snapshot")
    content["servers"] = [
        {
            "server": "api",
            "type": "api",
            "location": "https://billing.example.org",
            "customProperties": [{"property": k, "value": v} for k, v in custom.items()],
        }
    ]
    path = place.root / "contracts" / "billing" / "invoices.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def invoice(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:04d}",
        "customer": {"name": f"客户 {number}"},
        "amount": number,
        "updated_at": "2026-01-30T10:00:00",
        **more,
    }


RECORDS = [invoice(number) for number in range(25, 0, -1)]


def by_number(request: Request, size: int = 10) -> None:
    page = int(request.query["page"])
    part = RECORDS[(page - 1) * size : page * size]
    request.answer({"data": {"items": part}, "meta": {"total": len(RECORDS)}})


def by_offset(request: Request) -> None:
    start = int(request.query["skip"])
    size = min(int(request.query["take"]), 10)
    request.answer({"data": {"items": RECORDS[start : start + size]}})


def by_cursor(request: Request) -> None:
    start = int(request.query.get("after", "0").strip("c"))
    following = f"c{start + 10}" if start + 10 < len(RECORDS) else None
    request.answer({"data": {"items": RECORDS[start : start + 10]}, "after": following})


def by_link(request: Request) -> None:
    start = int(request.query.get("from", 0))
    link = f"/base/v1/invoices?from={start + 10}" if start + 10 < len(RECORDS) else None
    request.answer({"data": {"items": RECORDS[start : start + 10]}, "links": {"next": link}})


def by_header(request: Request) -> None:
    start = int(request.query.get("from", 0))
    more = start + 10 < len(RECORDS)
    headers = {"Link": f'</base/v1/invoices?from={start + 10}>; rel="next"'} if more else {}
    request.answer({"data": {"items": RECORDS[start : start + 10]}}, **headers)


@pytest.mark.parametrize(
    ("act", "paging", "requests"),
    [
        (by_number, {"style": "page", "parameter": "page"}, 4),
        (
            by_offset,
            {"style": "offset", "parameter": "skip", "sizeParameter": "take", "size": 10},
            4,
        ),
        (by_cursor, {"style": "cursor", "parameter": "after", "next": "after"}, 3),
        (by_link, {"style": "link", "next": "links.next"}, 3),
        (by_header, {"style": "link"}, 3),
    ],
)
def test_every_way_of_paging_gives_every_record_once(
    server: Server, place: Workplace, act: Any, paging: Any, requests: int
) -> None:
    server.act = act
    contract(place, paging)

    invoices = place.extract()["invoices"]

    assert [row["invoice_no"] for row in invoices.rows] == [f"{n:04d}" for n in range(1, 26)]
    assert invoices.rows[0]["customer"] == "客户 1"
    assert invoices.manifest.control_sums == {"amount": "325.00"}
    assert invoices.manifest.source_rows == 25
    assert len(server.seen) == requests


def test_a_total_ends_the_pages_and_is_compared(server: Server, place: Workplace) -> None:
    server.act = by_number
    contract(place, {"style": "page", "parameter": "page"}, total="meta.total")
    assert place.extract()["invoices"].manifest.landed_rows == 25
    assert len(server.seen) == 3


@pytest.mark.parametrize("lost", [0, 10])
def test_a_total_that_does_not_agree_stops_the_run(
    server: Server, place: Workplace, lost: int
) -> None:
    """A record that appears, or a page that is missing, while the pages are read."""

    def act(request: Request) -> None:
        page = int(request.query["page"])
        total = len(RECORDS) if lost or page == 1 else len(RECORDS) + 1
        part = [] if lost and page == 2 else RECORDS[(page - 1) * 10 : page * 10]
        request.answer({"data": {"items": part}, "meta": {"total": total}})

    server.act = act
    contract(place, {"style": "page", "parameter": "page"}, total="meta.total")

    with pytest.raises(SourceError, match=r"invoices changed while it was read: .* records came"):
        place.extract()
    assert not list(place.root.glob("home/landing/**/*.parquet"))


def test_a_first_page_that_changed_meanwhile_stops_the_run(
    server: Server, place: Workplace
) -> None:
    def act(request: Request) -> None:
        start = int(request.query.get("after", "0"))
        after = {0: "10", 10: "20"}.get(start)
        tag = f'"{len(server.seen)}"'
        request.answer({"data": {"items": RECORDS[start : start + 10]}, "after": after}, ETag=tag)

    server.act = act
    contract(place, {"style": "cursor", "parameter": "after", "next": "after"})
    with pytest.raises(SourceError, match="the first page is another one now"):
        place.extract()


def test_cells_are_exact_or_reported(server: Server, place: Workplace) -> None:
    records = """[
        {"id": "01", "cell": 12.30}, {"id": "02", "cell": "12.30"}, {"id": "03", "cell": 1e2},
        {"id": "04", "cell": 9007199254740993.01}, {"id": "05", "cell": null}, {"id": "06"},
        {"id": "07", "cell": 0.1000000000000000055}, {"id": "08", "cell": true},
        {"id": "09", "cell": {"a": [1.50, "\\u5218"]}}, {"id": "10", "cell": ""}]"""
    server.act = lambda request: request.answer(records.encode())
    contract(place, None, [key("id"), column("cell", "decimal(18,2)")], records="")

    landed = place.extract()["invoices"]

    assert [row["cell"] for row in landed.rows] == [
        Decimal("12.30"), Decimal("12.30"), Decimal("100"), Decimal("9007199254740993.01"),
        None, None, None, None, None, None,
    ]  # fmt: skip
    assert landed.errors("id") == {
        "07": {"cell": "0.1000000000000000055"},
        "08": {"cell": "true"},
        "09": {"cell": '{"a": [1.50, "刘"]}'},
        "10": {"cell": ""},
    }
    assert landed.manifest.control_sums == {"cell": "9007199254741117.61"}


def test_records_that_are_none_are_reported(server: Server, place: Workplace) -> None:
    body = rb'[{"id": "1", "name": "a"}, "stray", 7, {"id": "2", "name": "half \ud83d"}]'
    server.act = lambda request: request.answer(body)
    contract(place, None, [key("id"), column("name", "varchar")], records="")

    landed = place.extract()["invoices"]

    assert landed.manifest.source_rows == landed.manifest.landed_rows == 4
    assert sorted(row["_cast_errors"] or "" for row in landed.rows) == [
        "",
        '{"_line": "7"}',
        '{"_line": "\\"stray\\""}',
        '{"name": "half \\\\ud83d"}',
    ]


def test_limits_and_passing_failures_are_waited_for(
    server: Server, place: Workplace, pauses: list[float]
) -> None:
    """429 with Retry-After, 503, a truncated body, a broken connection: then all is well."""

    def act(request: Request) -> None:
        number = len(server.seen)
        if number == 1:
            request.answer(b"slow down", 429, Retry_After="7")
        elif number == 2:
            request.answer(b"later", 503)
        elif number == 3:
            request.answer(b'{"data": {"items": [', Content_Length="9000")
        elif number == 4:
            request.handler.connection.close()
        else:
            request.answer({"data": {"items": RECORDS}})

    server.act = act
    contract(place)

    assert place.extract()["invoices"].manifest.landed_rows == 25
    assert pauses == [7.0, 2.0, 4.0, 8.0]


def test_a_server_that_keeps_failing_is_given_up(
    server: Server, place: Workplace, pauses: list[float]
) -> None:
    server.act = lambda request: request.answer(b"canary", 500)
    contract(place)
    with pytest.raises(SourceError, match="Page 1 did not come in 5 attempts") as stopped:
        place.extract()
    assert len(server.seen) == 5
    assert "canary" not in str(stopped.value)


def test_a_pause_longer_than_we_wait_is_named(server: Server, place: Workplace) -> None:
    server.act = lambda request: request.answer(b"", 429, Retry_After="86400")
    contract(place)
    with pytest.raises(SourceError, match="held back for 86,400 seconds"):
        place.extract()
    assert len(server.seen) == 1


def test_a_server_that_hangs_is_given_up(
    server: Server, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "READ_SECONDS", 0.2)
    monkeypatch.setattr(pages, "ATTEMPTS", 2)
    done = threading.Event()
    server.act = lambda request: done.wait(10) and None  # type: ignore[func-returns-value]
    contract(place)
    try:
        with pytest.raises(SourceError, match="did not come in 2 attempts"):
            place.extract()
    finally:
        done.set()


def test_a_page_that_drips_without_end_is_given_up(
    server: Server, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_SECONDS", 0.1)
    monkeypatch.setattr(pages, "ATTEMPTS", 1)

    def drip(request: Request) -> None:
        request.answer(b"[", Content_Length="100000")
        for _ in range(30):
            try:
                request.handler.wfile.write(b" ")
            except OSError:
                return
            threading.Event().wait(0.05)

    server.act = drip
    contract(place)
    with pytest.raises(SourceError, match="not whole after"):
        place.extract()


def test_the_contract_s_pace_is_kept(server: Server, place: Workplace, pauses: list[float]) -> None:
    server.act = by_cursor
    paging = {"style": "cursor", "parameter": "after", "next": "after"}
    contract(place, paging, requestsPerSecond=0.5)
    place.extract()
    assert len(pauses) == 2
    assert all(1.0 < pause <= 2.0 for pause in pauses)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"data": {"items": [{"id": "canary"', "Page 1 is no JSON"),
        (b'{"data": {"items": [{"id": NaN}]}}', "Page 1 is no JSON"),
        (b"<html>canary</html>", "Page 1 is no JSON"),
        (b'{"data": {"other": []}}', "has no list of records at 'data.items'"),
        (b'{"data": {"items": {"id": "canary"}}}', "has no list of records at 'data.items'"),
        (b"[" * 100_000, "Page 1 is no JSON"),
    ],
)
def test_an_answer_that_is_no_page_stops_without_its_text(
    server: Server, place: Workplace, body: bytes, message: str
) -> None:
    server.act = lambda request: request.answer(body)
    contract(place)
    with pytest.raises(SourceError, match=message) as stopped:
        place.extract()
    assert "canary" not in str(stopped.value)


def test_a_page_beyond_the_limit_is_refused(
    server: Server, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    monkeypatch.setattr(pages, "PAGE_BYTES", 1 << 20)
    packed = gzip.compress(b" " * (8 << 20))
    server.act = lambda request: request.answer(packed, Content_Encoding="gzip")
    contract(place)
    with pytest.raises(SourceError, match="is larger than 1 MB"):
        place.extract()


def test_pages_in_a_circle_and_on_other_hosts_are_refused(server: Server, place: Workplace) -> None:
    contract(place, {"style": "link", "next": "next"})
    server.act = lambda r: r.answer({"data": {"items": []}, "next": "/base/v1/invoices"})
    with pytest.raises(SourceError, match="leads back to a page"):
        place.extract()
    server.act = lambda r: r.answer({"data": {"items": []}, "next": "https://example.org/x"})
    with pytest.raises(SourceError, match="next page on another host"):
        place.extract()


def test_missing_path_page_and_field_are_named(server: Server, place: Workplace) -> None:
    contract(place, {"style": "page", "parameter": "page"})
    server.act = lambda request: request.answer({}, 404)
    with pytest.raises(DriftError, match=r"the path /v1/invoices of billing\.invoices is missing"):
        place.extract()

    def second_is_missing(request: Request) -> None:
        if request.query["page"] == "2":
            request.answer({}, 404)
        else:
            by_number(request)

    server.act = second_is_missing
    with pytest.raises(SourceError, match="Page 2 was refused with status 404"):
        place.extract()

    server.act = lambda request: request.answer(
        {"data": {"items": [] if request.query["page"] == "2" else [{"id": "1", "news": 1}]}}
    )
    with pytest.raises(DriftError, match=r"column customer\.name of billing\.invoices is missing"):
        place.extract()


def test_new_fields_are_reported_and_an_empty_answer_lands_empty(
    server: Server, place: Workplace
) -> None:
    contract(place)
    server.act = lambda r: r.answer({"data": {"items": [invoice(1), invoice(2, extra=1)]}})
    assert place.extract()["invoices"].manifest.new_columns == ["extra"]
    server.act = lambda r: r.answer({"data": {"items": []}})
    assert place.extract()["invoices"].rows == []


@pytest.mark.parametrize(
    ("login", "query", "header", "value"),
    [
        (":s3cret@", "", "Authorization", "Bearer s3cret"),
        ("kehu:s3cret@", "", "Authorization", "Basic a2VodTpzM2NyZXQ="),
        (":s3cret@", "?header=X-Api-Key", "X-Api-Key", "s3cret"),
    ],
)
def test_the_secret_goes_into_a_header_and_nowhere_else(
    server: Server, place: Workplace, caplog: pytest.LogCaptureFixture,
    login: str, query: str, header: str, value: str,
) -> None:  # fmt: skip
    def act(request: Request) -> None:
        if request.headers.get(header) != value:
            request.answer(b"", 401)
        elif len(server.seen) == 1:
            request.answer(b"", 503)
        else:
            request.answer({"data": {"items": RECORDS}})

    server.act = act
    contract(place)
    place.url = server.url.replace("//", f"//{login}") + query
    assert place.extract()["invoices"].manifest.landed_rows == 25
    assert all("s3cret" not in request.path + str(request.query) for request in server.seen)

    place.url = place.url.replace("s3cret", "wr0ng")
    with pytest.raises(AccessError, match="status 401") as refused:
        place.extract()
    assert "wr0ng" not in str(refused.value)
    assert "s3cret" not in caplog.text


def test_a_secret_does_not_travel_without_tls(place: Workplace) -> None:
    place.url = "http://:s3cret@billing.example.org/base"
    contract(place)
    with pytest.raises(AccessError, match="without TLS") as refused:
        place.extract()
    assert "s3cret" not in str(refused.value)


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    certificate, secret = folder / f"{host}.pem", folder / f"{host}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={host}", "-addext", f"subjectAltName=IP:{host}", "-keyout", secret, "-out",
         certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, secret


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.7"])
def test_certificates_are_verified(place: Workplace, host: str) -> None:
    """Unknown authority: refused. Named in the URL: read, when the host is the one it names."""
    chain, secret = certificate(place.root, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    server = Server(act=lambda request: request.answer({"data": {"items": RECORDS}}))
    running = serving(server, context)
    contract(place)
    try:
        place.url = f"https://127.0.0.1:{server.port}/base"
        with pytest.raises(AccessError, match="certificate is not trusted"):
            place.extract()
        place.url += f"?ca={chain}"
        if host == "127.0.0.1":
            assert place.extract()["invoices"].manifest.landed_rows == 25
        else:
            with pytest.raises(AccessError, match="certificate is not trusted"):
                place.extract()
    finally:
        running.shutdown()
        running.server_close()
