"""The guard against the network guards."""

import os
import socket
import urllib.request

import pytest
from pytest_socket import SocketConnectBlockedError

ELSEWHERE = "192.0.2.1"  # RFC 5737: documentation, routed nowhere


def test_a_connection_elsewhere_is_refused():
    """A test that needs the network fails on a train, and one day for everybody."""
    with socket.socket() as client, pytest.raises(SocketConnectBlockedError):
        client.connect((ELSEWHERE, 80))


def test_a_connection_to_this_machine_is_open():
    """Real parts talk to each other over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())

        assert client.getpeername() == server.getsockname()


def test_a_unix_socket_is_open(tmp_path):
    """The embedded database listens on one."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))

        assert client.getpeername() == str(tmp_path / "s")


def test_programs_that_tests_start_find_no_way_out():
    """They inherit a proxy that nobody serves, and loopback goes past it."""
    assert os.environ["HTTPS_PROXY"] == os.environ["https_proxy"] == "http://127.0.0.1:9"
    assert urllib.request.proxy_bypass("127.0.0.1")
    assert not urllib.request.proxy_bypass("example.org")
