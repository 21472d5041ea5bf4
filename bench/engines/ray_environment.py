"""The environment variables that Ray reads, and how they are restored.

A Ray that is started listens on all addresses of the machine, whatever it is told, and runs what
anyone sends who has its token. So it gets a new token each time, which is in the environment of the
user's own processes and nowhere else.
"""

import os
import secrets
from contextlib import suppress
from importlib import import_module

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray's monitor kills tasks when memory is short, and by default tries them for ever.
    "RAY_task_oom_retries": "0",
}
_OWN_SETTINGS = {
    "RAY_AUTH_MODE": "token",
    # Ray would wait for its first workers, and for ever if one dies (ray-project/ray#40131).
    "RAY_prestart_worker_first_driver": "0",
    # Ray would run the units at niceness 15: their device hours would hold those of everybody else.
    "RAY_worker_niceness": "0",
}


def set_for_ray(*, own: bool) -> None:
    """Set the variables for a Ray of our own, with a new token, or for a cluster that is joined."""
    os.environ.update(_SETTINGS)
    if own:
        os.environ.update(_OWN_SETTINGS, RAY_AUTH_TOKEN=secrets.token_hex(32))


def restore(before: dict[str, str]) -> None:
    """Undo what we and Ray have changed, and let Ray forget what it has read."""
    for name in {*os.environ, *before}:
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]
    with suppress(ImportError):
        read_again()


def read_again() -> None:
    """Let Ray's library read the environment, which it does only once, and the token in it."""
    library = import_module("ray._raylet")
    library.Config.initialize("")  # first: a thread that still ends must not ask for a token
    library.AuthenticationTokenLoader.instance().reset_cache()
