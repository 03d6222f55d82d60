"""A Spark cluster that is not there, or refuses us: one message, readers keep what they had.

Formats that a cluster does not know need a real one: tests/cluster/test_parity.py.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent import futures
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from dags.round import _dags, _run_one, failures
from kehu.settings import load
from tests.dags.conftest import Round
from warehouse.hashes import table_hashes

SECRET = "t0ken-0123456789"


class _Refuses(grpc.GenericRpcHandler):
    """Answers every call as Spark Connect answers one with a wrong token."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def refuse(_: Any, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid token")

        if details.method.endswith("ExecutePlan"):
            return grpc.unary_stream_rpc_method_handler(refuse)
        return grpc.unary_unary_rpc_method_handler(refuse)


@pytest.fixture
def locked() -> Iterator[int]:
    """Port of a server that lets nobody in."""
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[_Refuses()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("kind", "url", "said"),
    [
        ("SourceError", "sc://127.0.0.1:{free}", "does not answer"),
        ("SourceError", "thrift://kehu@127.0.0.1:{free}/?auth=NOSASL", "does not answer"),
        ("AccessError", f"sc://localhost:{{locked}}/;token={SECRET}", "refuses the login"),
    ],
    ids=["connect is down", "thrift is down", "wrong token"],
)
def test_one_message_and_nothing_changes(
    kind: str,
    url: str,
    said: str,
    locked: int,
    first_round: Round,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, began = first_round.settings, datetime.now(UTC)
    before = (settings.published_file.resolve(), table_hashes(settings.published_file))
    monkeypatch.setenv("KEHU_ENGINE", "spark")
    monkeypatch.setenv("KEHU_SPARK_URL", url.format(free=_free_port(), locked=locked))

    # its own copy: a round takes the retries off its DAGs
    outcome = _run_one(_dags()["publish_marts"], first_round.day, load(), full=False)

    assert str(outcome.state) in ("failed", "DagRunState.FAILED")
    (told,) = failures(settings, since=began)
    assert told["error"] == kind
    assert said in told["what"]
    assert told["where"].startswith(("sc://127.0.0.1:", "sc://localhost:", "thrift://127.0.0.1:"))
    assert "KEHU_SPARK_URL" in told["do"]
    assert SECRET not in json.dumps(told)
    assert (settings.published_file.resolve(), table_hashes(settings.published_file)) == before
