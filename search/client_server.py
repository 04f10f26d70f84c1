"""Ray's client server: which cluster answers at ``ray://HOST:PORT``, and where it takes jobs."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import grpc
import requests
from ray.core.generated.ray_client_pb2 import ClusterInfoRequest, ClusterInfoType
from ray.exceptions import RayError

from search.jobs import why_unreachable
from search.joining import (
    OPTION,
    knock,
    quieten,
    reason_of,
    token_in_use,
    use_token,
    versions_differ,
)
from search.option_values import CLIENT_SCHEME
from search.submit import ADDRESS_VARIABLE
from trainable.errors import MAX_LINE, ConfigError, expected

CLUSTER_INFO = "/ray.rpc.RayletDriver/ClusterInfo"
REACH_S = 5
CONNECT_TRIES = 3
HOW_TO_START = (
    "`ray start --head` starts it, at port 10001 unless told otherwise; a cluster without one "
    "takes searches by `python -m search.submit`."
)
HOW_TO_REACH = (
    "Start its head with `--dashboard-host 0.0.0.0`, or bring that port here with `ssh -L` and "
    f"give its URL here as {ADDRESS_VARIABLE}."
)


@dataclass(frozen=True)
class _Dashboard:
    """A cluster's dashboard: ``host:port`` as its machines know it, and the session's name."""

    place: str
    session: str


def job_server(address: str) -> str:
    """Return the URL at which the cluster behind a client server takes jobs from here.

    Ray's client is connected for as long as that takes, so that what Ray checks is checked: its
    version and Python's. It would try for half a minute where nobody listens or the token is
    another one, so that is asked first.

    Args:
        address: ``ray://host:port``.

    Raises:
        ConfigError: If no cluster answers there, it does not take our token, versions differ, or
            its dashboard cannot be reached.
    """
    try:
        use_token(lambda token: _knock(address, token), place=address)
    except (OSError, ValueError) as error:
        what = "the client server of a running Ray cluster"
        got = f"{address!r} ({reason_of(error)})"
        raise ConfigError(expected(OPTION, what, got, HOW_TO_START)) from error
    return _reached(address, _dashboard(address))


def _knock(address: str, token: str | None) -> bool:
    ping = ClusterInfoRequest(type=ClusterInfoType.PING).SerializeToString()
    return knock(address.removeprefix(CLIENT_SCHEME), token, CLUSTER_INFO, request=ping)


def _dashboard(address: str) -> _Dashboard:
    """Ask the cluster for its dashboard, through Ray's client.

    Raises:
        ConfigError: If versions differ, or the cluster takes no client.
    """
    # The head forks a server for each client while it has threads: one in some does not start,
    # which reads differently each time.
    for tries_left in reversed(range(CONNECT_TRIES)):
        try:
            return _told(address)
        except (OSError, ValueError, RuntimeError, RayError, grpc.RpcError) as error:
            differ = versions_differ(address, error)
            if differ or not tries_left:
                raise ConfigError(differ or _refused(address, error)) from error
    raise AssertionError


def _refused(address: str, error: Exception) -> str:
    what = f"the cluster at {address!r} to take a client"
    said = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return expected(OPTION, what, said.strip()[:MAX_LINE].rstrip("."))


def _told(address: str) -> _Dashboard:
    import ray
    from ray.util.client import ray as client

    quieten()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = ray.init(address, log_to_driver=False, logging_level="ERROR")
    try:
        session = client._internal_kv_get("session_name", namespace="session")
    finally:
        context.disconnect()
    return _Dashboard(context.dashboard_url or "", session.decode())


def _reached(address: str, dashboard: _Dashboard) -> str:
    """Return a URL of the dashboard that can be reached from here.

    Raises:
        ConfigError: If none can, or there is none.
    """
    what = f"the dashboard of the cluster at {address!r}, which takes its jobs"
    if not dashboard.place:
        remedy = "Start its head with `--include-dashboard true`."
        raise ConfigError(expected(OPTION, what, "none", remedy))
    reasons = []
    for url in _urls(address, dashboard.place):
        reason = _why_not(url, dashboard.session)
        if not reason:
            return url
        reasons.append(f"{url} ({reason})")
    raise ConfigError(expected(OPTION, what, ", ".join(reasons), HOW_TO_REACH))


def _urls(address: str, place: str) -> Iterator[str]:
    """Yield where the dashboard may be reached from here: it may know its own host otherwise."""
    host, port = urlsplit(address).hostname, urlsplit(f"//{place}").port
    chosen = os.environ.get(ADDRESS_VARIABLE, "").rstrip("/")
    # Each once, in this order.
    yield from dict.fromkeys(filter(None, (chosen, f"http://{host}:{port}", f"http://{place}")))


def _why_not(url: str, session: str) -> str:
    """Return why a URL is not to be used, or "": another cluster may have its dashboard there."""
    token = token_in_use()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = requests.get(f"{url}/api/version", headers=headers, timeout=REACH_S)
        theirs = reply.json().get("session_name")
    except (requests.JSONDecodeError, AttributeError):
        return "something else answers there"
    except requests.RequestException as error:
        return why_unreachable(error)
    return "" if theirs == session else "that of another cluster"
