"""A server that counts who connects, and keeps what they said."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

PLAIN_OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\nok"


class CountingListener:
    """Listens on the loopback and answers everybody alike."""

    def __init__(self, answer: bytes = PLAIN_OK, *, drips: bool = False) -> None:
        self.connections = 0
        self.heard = ""
        self.answer = answer
        self._drips = drips
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread in accept() keeps the port open, so that it is woken first.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            self.heard += connection.recv(65536).decode("latin-1")
            if not self._drips:
                connection.sendall(self.answer)
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
            for _ in range(100):
                connection.sendall(b".")
                time.sleep(0.1)
