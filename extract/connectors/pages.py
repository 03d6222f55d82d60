"""Pages of an HTTP API: asked for politely, tried again when that helps, never without an end.

In: an address and an `ApiSource`. Out: `Page`s. Touches: sends GET requests to the address.

An error names the page, never what stands in it. The secret of the URL goes out as a header, over
TLS or on loopback only, and to no other host: links that lead elsewhere are refused.
"""

from __future__ import annotations

import email.utils
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from extract.connectors import base
from extract.connectors.base import Address
from extract.contract_servers import ApiSource
from kehu.errors import AccessError, SourceError

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often one page is asked for."""
LONGEST_PAUSE = 120
"""Seconds that a server may ask us to wait; more is an error that names the time."""
READ_SECONDS = 60
"""How long a server may send nothing."""
PAGE_SECONDS = 600
"""How long one page may take, however slowly it drips."""
PAGE_BYTES = 256 << 20
"""How large one page may be, unpacked."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Page:
    """One answer: its bytes, and what they say (see `parse`)."""

    number: int
    body: bytes
    content: Any
    headers: Mapping[str, str]
    etag: str | None


class Number(str):
    """A JSON number by its own digits, so that 12.30 stays 12.30."""


def parse(body: bytes) -> Any:
    """JSON with numbers as `Number`. Raises `ValueError` for what is none, NaN included."""
    return json.loads(body, parse_float=Number, parse_int=Number, parse_constant=_refuse)


def at(content: Any, path: str | None) -> Any:
    """What lies at a dotted path; None where the path ends early."""
    for name in path.split(".") if path else ():
        if not isinstance(content, Mapping):
            return None
        content = content.get(name)
    return content


class Api:
    """A client of one API: `pages` of a table."""

    def __init__(self, address: Address) -> None:
        self.where = address.where
        self._address = address
        self._pause = 0.0
        self._last = float("-inf")
        headers, auth = _login(address)
        host = f"[{address.host}]" if ":" in str(address.host) else address.host
        port = f":{address.port}" if address.port else ""
        self._origin = httpx.URL(f"{address.scheme}://{host}{port}")
        self._client = httpx.Client(
            headers={"Accept": "application/json", **headers},
            auth=auth,
            timeout=httpx.Timeout(READ_SECONDS, connect=base.CONNECT_SECONDS),
            verify=base.trust(address, "ca"),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def pages(self, source: ApiSource) -> Iterator[Page]:
        """The pages in their order. Ends when there is no next one; a circle is an error."""
        self._pause = 1 / source.requests_per_second if source.requests_per_second else 0.0
        seen: set[str] = set()
        step = source.size if source.paging == "offset" and source.size else 1
        place = source.first if source.first is not None else int(source.paging == "page")
        read = 0
        url = self._first(source, place)
        number = 1
        while True:
            if str(url) in seen:
                raise self._error(number, "leads back to a page that was read already")
            seen.add(str(url))
            page = self._page(url, number)
            yield page
            records = at(page.content, source.records)
            count = len(records) if isinstance(records, list) else 0
            read += count
            if source.paging in ("page", "offset"):
                total = at(page.content, source.total) if source.total else None
                if count == 0 or str(read) == total:
                    return
                place += step if source.paging == "page" or source.size else count
                url = url.copy_set_param(source.parameter, place)
            else:
                following = self._next(source, page, url)
                if following is None:
                    return
                url = following
            number += 1

    def etag(self, source: ApiSource) -> str | None:
        """The present ETag of the first page."""
        place = source.first if source.first is not None else int(source.paging == "page")
        return self._page(self._first(source, place), 1).etag

    def _first(self, source: ApiSource, place: int) -> httpx.URL:
        url = self._origin.copy_with(path=self._base() + source.path)
        if source.size_parameter and source.size:
            url = url.copy_set_param(source.size_parameter, source.size)
        if source.paging in ("page", "offset"):
            url = url.copy_set_param(source.parameter, place)
        return url

    def _base(self) -> str:
        path = self._address.database.strip("/")
        return f"/{path}" if path else ""

    def _next(self, source: ApiSource, page: Page, url: httpx.URL) -> httpx.URL | None:
        if source.paging == "none":
            return None
        if source.paging == "cursor":
            cursor = at(page.content, source.next)
            return url.copy_set_param(source.parameter, str(cursor)) if cursor else None
        if source.next:
            link = at(page.content, source.next)
        else:
            response = httpx.Response(200, headers=dict(page.headers))
            link = response.links.get("next", {}).get("url")
        if not link:
            return None
        if not isinstance(link, str):
            raise self._error(page.number, "names a next page that is no URL")
        following = url.join(link)
        here, there = ((u.scheme, u.host, u.port) for u in (self._origin, following))
        if here != there:
            raise self._error(page.number, "names a next page on another host")
        return following

    def _page(self, url: httpx.URL, number: int) -> Page:
        response, body = self._answer(url, number)
        try:
            content = json.loads(body, parse_float=Number, parse_int=Number, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise self._error(number, f"is no JSON ({len(body):,} bytes)") from None
        return Page(number, body, content, response.headers, response.headers.get("etag"))

    def _answer(self, url: httpx.URL, number: int) -> tuple[httpx.Response, bytes]:
        for attempt in range(1, ATTEMPTS + 1):
            reason, asked = "", None
            self._keep_pace()
            try:
                response, body = self._get(url, number)
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = self._address.without_secret(str(error) or type(error).__name__)
                if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in reason.upper():
                    raise AccessError(
                        "The source's certificate is not trusted.",
                        where=self.where,
                        do="let the source renew it, or name its authority: ?ca=<file> in "
                        f"KEHU_{self._address.system.upper()}_URL",
                    ) from None
            else:
                if response.status_code == 200:
                    return response, body
                self._refused(response.status_code, number)
                reason = f"status {response.status_code}"
                asked = _retry_after(response)
            pause = asked if asked is not None else 2.0 ** (attempt - 1)
            if pause > LONGEST_PAUSE:
                raise self._error(number, f"is held back for {pause:,.0f} seconds ({reason})")
            if attempt < ATTEMPTS:
                log.warning("%s: page %s: %s, again in %s s", self.where, number, reason, pause)
                time.sleep(pause)
        raise SourceError(
            f"Page {number} did not come in {ATTEMPTS} attempts ({reason}).",
            where=self.where,
            do="look whether the source is up and its limits suit the contract's "
            "requestsPerSecond, then run the task again",
        )

    def _get(self, url: httpx.URL, number: int) -> tuple[httpx.Response, bytes]:
        end = time.monotonic() + PAGE_SECONDS
        parts, size = [], 0
        with self._client.stream("GET", url) as response:
            for part in response.iter_bytes():
                size += len(part)
                if size > PAGE_BYTES:
                    raise self._error(number, f"is larger than {PAGE_BYTES >> 20} MB")
                if time.monotonic() > end:
                    raise httpx.ReadTimeout(f"not whole after {PAGE_SECONDS} s")
                parts.append(part)
        return response, b"".join(parts)

    def _refused(self, status: int, number: int) -> None:
        """Raise for a status that another attempt would not change."""
        if status in (401, 403):
            raise AccessError(
                f"The source refuses us (status {status}).",
                where=self.where,
                do=f"correct the secret in KEHU_{self._address.system.upper()}_URL, or the rights",
            )
        if status == 404 and number == 1:
            raise NoTable
        if status not in _PASSING:
            raise self._error(number, f"was refused with status {status}")

    def _keep_pace(self) -> None:
        wait = self._last + self._pause - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._last = time.monotonic()

    def _error(self, number: int, what: str) -> SourceError:
        return SourceError(
            f"Page {number} {what}.",
            where=self.where,
            do="compare the answer with the contract's servers block; run the task again when "
            "the source is right",
        )


class NoTable(Exception):  # noqa: N818  a message between two modules, not an error
    """The first page does not exist."""


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _login(address: Address) -> tuple[dict[str, str], httpx.BasicAuth | None]:
    """user:password is a login; a password alone is a bearer token, or the header of `?header=`."""
    if address.password is None:
        return {}, None
    if address.scheme != "https" and not base.is_loopback(address.host):
        raise AccessError(
            "A secret must not go over the network without TLS.",
            where=address.where,
            do=f"use https:// in KEHU_{address.system.upper()}_URL",
        )
    if header := address.options.get("header"):
        return {header: address.password}, None
    if address.user:
        return {}, httpx.BasicAuth(address.user, address.password)
    return {"Authorization": f"Bearer {address.password}"}, None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks us to wait: a number, or a date."""
    value = response.headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    try:
        moment: float = email.utils.parsedate_to_datetime(value).timestamp()
        return max(0.0, moment - time.time())
    except (ValueError, TypeError):
        return None
