"""The way into a running Ray cluster: who listens, which token it takes, what is in the way."""

import logging
import os
import platform
import re
import socket
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from trainable.errors import MAX_LINE, ConfigError, expected, first_line

AUTO = "auto"
OPTION = "--address"
ANSWER_S = 10
AUTH_MODE, TOKEN, DISABLED = "RAY_AUTH_MODE", "token", "disabled"
ADDRESS_OF_ENVIRONMENT = "RAY_ADDRESS"
CHECK_ALIVE = "/ray.rpc.NodeInfoGcsService/CheckAlive"
GET_NODES = "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo"
WHERE_TOKENS_ARE = (
    "Put it into ~/.ray/auth_token or RAY_AUTH_TOKEN; `ray get-auth-token` on its head prints it."
)
HOW_TO_START = "Start one with `ray start --head`, or leave --address out."


def join(address: str, connect: Callable[[], Any]) -> Any:  # noqa: ANN401  # what Ray returns
    """Connect to the cluster at an address, once it is known to answer and to take our token.

    Ray itself would try for over a minute, print pages, and for some causes end the process.

    Args:
        address: ``auto`` or ``host:port``.
        connect: Calls ``ray.init``.

    Returns:
        What ``connect`` returned.

    Raises:
        ConfigError: If it cannot be joined, with the cause and what helps.
    """
    from ray.exceptions import RayError

    try:
        place = _resolved(address)
        use_token(lambda token: knock(place, token), place=address)
        _check_is_member(place, address)
        return connect()
    except (OSError, ValueError, RuntimeError, RayError) as error:
        raise ConfigError(_worded(address, error)) from error


def token_in_use() -> str | None:
    """Return the token that Ray sends, None where the cluster asks for none."""
    return _own_token() if os.environ.get(AUTH_MODE) == TOKEN else None


def use_token(accepts: Callable[[str | None], bool], *, place: str) -> None:
    """Have Ray use the user's token from now on, where a cluster asks for one, and only there.

    A process with a token refuses whoever sends none: a cluster without tokens could not reach
    the search, and would take each of its workers for one whose owner has died.

    Args:
        accepts: Asks the cluster, with a token or none, whether that is the right one.
        place: The cluster, for messages.

    Raises:
        ConfigError: If it asks for a token and there is none, or another one.
    """
    if accepts(None):
        _set_mode(DISABLED)
        return
    token = _own_token()
    what = f"the token of the cluster at {place!r}, which asks for one"
    if token is None:
        raise ConfigError(expected(OPTION, what, "none", WHERE_TOKENS_ARE))
    if not accepts(token):
        raise ConfigError(expected(OPTION, what, f"another one in {_source()}", WHERE_TOKENS_ARE))
    _set_mode(TOKEN)


def _set_mode(mode: str) -> None:
    os.environ[AUTH_MODE] = mode
    _raylet().Config.initialize("")  # Ray has read the mode when it was imported


def _own_token() -> str | None:
    """Return the user's token, from wherever Ray looks for it."""
    loader = _raylet().AuthenticationTokenLoader.instance()
    loader.reset_cache()
    if not loader.has_token(ignore_auth_mode=True):
        return None
    return str(loader.get_raw_token(ignore_auth_mode=True))


def _raylet() -> Any:  # noqa: ANN401  # its stubs lack what Ray's own scripts use
    return import_module("ray._raylet")


def _source() -> str:
    names = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    return next((name for name in names if os.environ.get(name)), "~/.ray/auth_token")


def _resolved(address: str) -> str:
    """Return host and port of an address.

    Raises:
        OSError: If ``auto`` finds no cluster on this machine, or several.
    """
    if address != AUTO:
        return address
    from ray._private.services import canonicalize_bootstrap_address_or_die

    return str(canonicalize_bootstrap_address_or_die(AUTO))


def knock(
    place: str, token: str | None, method: str = CHECK_ALIVE, *, request: bytes = b""
) -> bool:
    """Ask a server of Ray's whether it is there; return whether it takes the token.

    Args:
        place: Its ``host:port``.
        token: What it is to take; None sends none.
        method: What it is asked: by default the one that only the head's control service knows.
        request: What goes with that.

    Raises:
        OSError: If nobody answers, or not as that server does.
    """
    import grpc

    host, _, port = place.rpartition(":")
    socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    try:
        _asked(place, method, token, request)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return False
        raise OSError("something else answers there") from error
    return True


def _asked(place: str, method: str, token: str | None, request: bytes = b"") -> bytes:
    """Return what a server of Ray's answers to a request that is the same in all versions."""
    import grpc

    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(place, options=[("grpc.enable_http_proxy", 0)]) as channel:
        answer = channel.unary_unary(method)(request, timeout=ANSWER_S, metadata=metadata)
    return bytes(answer)


def _check_is_member(place: str, address: str) -> None:
    """Check that this machine is one of the cluster's: Ray joins by the socket of its raylet.

    Raises:
        ConfigError: If none of the cluster's sockets is here.
    """
    from ray.core.generated.gcs_service_pb2 import GetAllNodeInfoReply

    answer = _asked(place, GET_NODES, token_in_use())
    nodes = GetAllNodeInfoReply.FromString(answer).node_info_list
    if not any(Path(node.raylet_socket_name).is_socket() for node in nodes):
        what = f"to be on a machine of the cluster at {address!r}"
        remedy = "Start the search on one of them, or send it with `python -m search.submit`."
        raise ConfigError(expected(OPTION, what, platform.node(), remedy))


def _worded(address: str, error: Exception) -> str:
    """Return what to do about an error of joining."""
    if differ := versions_differ(address, error):
        return differ
    text = str(error)
    if not isinstance(error, (OSError, ValueError)):
        what = f"the cluster at {address!r} to take the search"
        return expected(OPTION, what, " ".join(text.split())[:MAX_LINE])
    reason = reason_of(error)
    from_environment = address == AUTO and os.environ.get(ADDRESS_OF_ENVIRONMENT)
    place = f"{address!r}, by {ADDRESS_OF_ENVIRONMENT} {from_environment!r}"
    got = f"{place if from_environment else repr(address)} ({reason})"
    return expected(OPTION, "a running Ray cluster", got, HOW_TO_START)


def versions_differ(address: str, error: Exception) -> str:
    """Return what to do where Ray refuses on account of its or Python's version, else ""."""
    text = str(error)
    if "Version mismatch" not in text:
        return ""
    theirs, ours = re.findall(r"Ray: (\S+)\s+Python: (\S+)", text)[:2]
    what = f"Ray {theirs[0]} and Python {theirs[1]} as on the cluster at {address!r}"
    remedy = "Use the same versions, or send the search with `python -m search.submit`."
    return expected(OPTION, what, f"Ray {ours[0]} and Python {ours[1]}", remedy)


def reason_of(error: Exception) -> str:
    """Return what a system or a library says of an error, in a few words."""
    return getattr(error, "strerror", None) or first_line(error).removesuffix(".")


def quieten() -> None:
    """Have Ray log errors alone; it sets this anew when it starts."""
    logging.getLogger("ray").setLevel(logging.ERROR)
