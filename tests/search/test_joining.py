"""The way into a cluster, with servers of this process in the place of a cluster's head."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import grpc
import pytest
from ray._private.utils import check_version_info
from ray.core.generated.gcs_service_pb2 import GetAllNodeInfoReply
from ray.exceptions import RuntimeEnvSetupError

from search.joining import AUTH_MODE, CHECK_ALIVE, GET_NODES, join
from trainable.errors import ConfigError

TOKEN = "c0ffee" * 10


class Head(grpc.GenericRpcHandler):
    """Answers as a head does that asks for a token, or for none, and has one node."""

    def __init__(self, token: str | None, node: str) -> None:
        self._token = token
        self._nodes = GetAllNodeInfoReply()
        self._nodes.node_info_list.add().raylet_socket_name = node

    def service(self, details):
        reply = {CHECK_ALIVE: b"", GET_NODES: self._nodes.SerializeToString()}[details.method]
        given = dict(details.invocation_metadata).get("authorization")

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if self._token is not None and given != f"Bearer {self._token}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
            return reply

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def head(token: str | None = None, *, is_here: bool = True):
    """Yield the address of a head; its node is this machine, or another one."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as raylet:
        raylet.bind(f"{folder}/raylet")
        server = grpc.server(ThreadPoolExecutor(1))
        node = f"{folder}/raylet" if is_here else f"{folder}/elsewhere"
        server.add_generic_rpc_handlers([Head(token, node)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None)


@pytest.fixture(autouse=True)
def _no_token(ray_auth_undone, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def refused(address: str, connect=lambda: pytest.fail("connected")) -> str:
    with pytest.raises(ConfigError) as caught:
        join(address, connect)
    [problem] = caught.value.problems
    return problem


def test_where_nobody_listens_the_reason_is_named():
    assert refused("127.0.0.1:1") == (
        "--address: expected a running Ray cluster, got '127.0.0.1:1' (Connection refused). "
        "Start one with `ray start --head`, or leave --address out."
    )


def test_an_address_from_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert "got 'auto', by RAY_ADDRESS '127.0.0.1:1' (Connection refused)" in refused("auto")


def test_what_is_no_ray_is_told_apart():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(20)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: [listening.accept()[0].close() for _ in range(2)])
            problem = refused(f"127.0.0.1:{listening.getsockname()[1]}")
    assert "(something else answers there). Start one" in problem


def test_a_cluster_without_a_token_is_joined_without_one():
    with head() as address:
        assert join(address, lambda: "joined") == "joined"


def test_a_cluster_that_asks_for_a_token_gets_that_of_the_user(monkeypatch, tmp_path):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(TOKEN)
    with head(TOKEN) as address:
        assert join(address, lambda: os.environ[AUTH_MODE]) == "token"


def test_a_missing_token_is_asked_for():
    with head(TOKEN) as address:
        assert refused(address) == (
            f"--address: expected the token of the cluster at '{address}', which asks for one, "
            "got none. Put it into ~/.ray/auth_token or RAY_AUTH_TOKEN; `ray get-auth-token` on "
            "its head prints it."
        )


def test_a_wrong_token_is_named_by_where_it_is_from_and_not_shown(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong" * 10)
    with head(TOKEN) as address:
        problem = refused(address)
    assert "got another one in RAY_AUTH_TOKEN. Put it" in problem
    assert "wrongwrong" not in problem


def test_other_versions_on_the_cluster_are_named_with_ours():
    theirs = {"ray_version": "2.59.0", "python_version": "3.12.1"}
    with head() as address:
        problem = refused(address, lambda: check_version_info(theirs, "here"))
    assert problem.startswith(
        f"--address: expected Ray 2.59.0 and Python 3.12.1 as on the cluster at '{address}', got "
        "Ray 2.60.0 and Python 3."
    )
    assert problem.endswith("or send the search with `python -m search.submit`.")


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_machine_that_is_none_of_the_clusters_is_told_to_send_the_search(monkeypatch, token):
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    with head(token, is_here=False) as address:
        problem = refused(address)
    assert problem.startswith("--address: expected to be on a machine of the cluster at '")
    assert problem.endswith("or send it with `python -m search.submit`.")


def test_what_ray_cannot_set_up_is_one_line():
    def connect():
        raise RuntimeEnvSetupError("Failed to upload module:\n  no room")

    with head() as address:
        problem = refused(address, connect)
    assert problem.endswith("environment. Failed to upload module: no room.")


def test_a_cluster_without_tokens_is_joined_without_one(monkeypatch):
    monkeypatch.setenv(AUTH_MODE, "token")  # a Ray of one's own leaves it so
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    with head(None) as address:
        assert join(address, lambda: os.environ[AUTH_MODE]) == "disabled"


def test_another_token_is_taken_where_this_one_was(monkeypatch):
    for token in (TOKEN, TOKEN[::-1]):
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
        with head(token) as address:
            assert join(address, lambda: os.environ[AUTH_MODE]) == "token"
