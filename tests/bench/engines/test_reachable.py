"""Addresses at which no Ray head answers."""

import socket
import threading
from contextlib import suppress

import pytest

from augbench.bench.engines import reachable
from augbench.bench.engines.reachable import check_reachable, is_reachable
from augbench.datasets.errors import UserError


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\0\0\0",
        None,  # it hangs up
    ],
)
def test_a_service_that_is_no_ray_is_refused_in_a_sentence(
    answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray itself would wait for it, deaf to Ctrl-C. A head that stands still is as silent."""
    monkeypatch.setattr(reachable, "CONNECT_SECONDS", 0.5)
    connections: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                if answer is None:
                    connection.close()
                else:
                    connections.append(connection)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        for spelled in (address, f"ray://{address}"):
            with pytest.raises(UserError, match=f"answers at {spelled}: something listens there"):
                check_reachable(spelled)
            assert not is_reachable(spelled)
