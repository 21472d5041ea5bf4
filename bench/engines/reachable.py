"""Whether a Ray head answers at an address. Ray itself would try for ever."""

import os
import socket
import time

from augbench.datasets.errors import UserError, system_error

CONNECT_SECONDS = 5.0  # for the head of a cluster to answer
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HTTP2_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"  # a frame of length 0, type 4


def check_reachable(address: str) -> None:
    """Raise a UserError where no Ray answers: Ray itself would try for ever, deaf to Ctrl-C."""
    end = _host_and_port(address)
    if end is None:
        return  # "auto", or what Ray itself refuses
    try:
        greets = _greets_like_ray(*end)
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {address}: {system_error(error)}; is its head started, "
            "and does it listen there?"
        ) from None
    if not greets:
        raise UserError(
            f"no Ray cluster answers at {address}: something listens there, but it does not speak "
            f"as a Ray head does within {CONNECT_SECONDS:g} s; is the port right (6379 unless the "
            "head was started with another), and does the head still run?"
        )


def is_reachable(address: str) -> bool:
    """Whether the head of a cluster answers there."""
    end = _host_and_port(address)
    try:
        return end is not None and _greets_like_ray(*end)
    except OSError:
        return False


def _host_and_port(address: str) -> tuple[str, int] | None:
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        return None
    return host.strip("[]"), int(port)


def _greets_like_ray(host: str, port: int) -> bool:
    """Whether a server opens an HTTP/2 connection (RFC 9113, section 3.4), as gRPC's do.

    Raises an OSError where nothing listens. With TLS a connection is all that can be seen.
    """
    deadline = time.monotonic() + CONNECT_SECONDS
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            return True
        try:
            connection.sendall(_HTTP2_PREFACE + _HTTP2_SETTINGS)
            frame = b""
            while len(frame) < len(_HTTP2_SETTINGS):
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                received = connection.recv(len(_HTTP2_SETTINGS) - len(frame))
                if not received:
                    return False
                frame += received
        except OSError:
            return False
    return frame[3] == _HTTP2_SETTINGS[3]  # the first frame has to be one of settings
