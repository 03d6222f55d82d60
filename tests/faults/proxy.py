"""A network that fails: a TCP proxy on loopback between a stage and its source.

In: the port of a server, what shall happen to what it answers. Out: a port to connect to. Touches
sockets of this process.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Network:
    """What the network does. Counts bytes from the server, over all connections.

    `cut_after`: the connection is reset when so many bytes have passed, once. `silent_after`: from
    then on nothing passes in either direction, and no connection is closed (a black hole).
    `bytes_per_second`: no more than these pass.
    """

    server: int
    cut_after: int | None = None
    silent_after: int | None = None
    bytes_per_second: int | None = None
    passed: int = 0
    connections: int = 0
    port: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self.server))
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Both directions in one thread, so that a close is one at once."""
        other = {client: server, server: client}
        with client, server, suppress(OSError):
            while not self._stopped.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.2)
                for end in ready:
                    data = end.recv(1024 if self.bytes_per_second else 16384)
                    if self.silent_after is not None and self.passed >= self.silent_after:
                        self._stopped.wait()
                    if not data:
                        return
                    if end is server:
                        self.passed += len(data)
                        if self.bytes_per_second:
                            time.sleep(len(data) / self.bytes_per_second)
                        if self.cut_after is not None and self.passed >= self.cut_after:
                            self.cut_after = None
                            # no farewell: closed like this, the other side sees a reset
                            client.setsockopt(
                                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                            )
                            return
                    other[end].sendall(data)


@contextmanager
def network(server: int, **faults: Any) -> Iterator[Network]:
    """A network to the server at a port of this machine."""
    made = Network(server, **faults)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        made.port = listener.getsockname()[1]
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        try:
            yield made
        finally:
            made._stopped.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
