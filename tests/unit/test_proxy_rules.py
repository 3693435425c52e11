"""The proxy's judgement: which hosts, how a request is read, and which way a host is reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_tui.config import load_agent, load_settings
from omni_tui.errors import ConfigError
from omni_tui.model.confinement import HOST, Passage
from omni_tui.model.sandbox_settings import SandboxSettings
from omni_tui.plugins.agent.claude_hosts import API, needed_hosts
from omni_tui.plugins.proxy.head import BadRequestError, parse_head
from omni_tui.plugins.proxy.rules import Place, Rules, parse_place, parse_rule
from omni_tui.plugins.proxy.upstream import UnreachableError, Ways, is_own
from omni_tui.policy.reach import cannot_keep, passage


@pytest.mark.parametrize(
    ("rule", "place", "allowed"),
    [
        ("example.com", "example.com:443", True),
        ("example.com", "EXAMPLE.com.:443", True),
        ("Example.COM", "example.com:80", True),
        ("example.com", "example.com:22", False),
        ("example.com:22", "example.com:22", True),
        ("example.com:22", "example.com:443", False),
        ("example.com", "www.example.com:443", False),
        ("example.com", "badexample.com:443", False),
        ("example.com", "example.com.evil.org:443", False),
        ("*.example.com", "www.example.com:443", True),
        ("*.example.com", "a.b.example.com:80", True),
        ("*.example.com", "example.com:443", False),
        ("*.example.com", "badexample.com:443", False),
        ("*.example.com:8443", "www.example.com:8443", True),
        ("127.0.0.1:8080", "127.0.0.1:8080", True),
        ("127.0.0.1:8080", "127.0.0.1:8081", False),
        ("127.0.0.1:8080", "localhost:8080", False),
        ("127.0.0.1:8080", "2130706433:8080", False),
        ("127.0.0.1:8080", "127.1:8080", False),
        ("127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", False),
        ("[::1]:8080", "[::1]:8080", True),
        ("10.1.2.3", "10.1.2.3:443", True),
    ],
)
def test_a_rule_opens_what_it_names_and_nothing_else(rule: str, place: str, allowed: bool) -> None:
    asked = parse_place(place)
    assert asked is not None
    assert Rules([rule]).allow(asked) is allowed


def test_nothing_is_allowed_by_nothing() -> None:
    assert not Rules([]).allow(Place("example.com", 443))


@given(st.text(max_size=40) | st.from_regex(HOST))
def test_the_settings_take_what_the_proxy_takes(text: str) -> None:
    try:
        parse_rule(text)
    except ValueError:
        assert not re.search(HOST, text)
    else:
        assert re.search(HOST, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com:443", Place("example.com", 443)),
        ("[2001:db8::1]:443", Place("[2001:db8::1]", 443)),
        ("example.com", None),
        ("example.com:", None),
        ("example.com:0", None),
        ("example.com:65536", None),
        ("example.com:44x", None),
        ("user@example.com:443", None),
        ("exa mple.com:443", None),
        ("a/b:443", None),
        ("::1:443", None),
        (":443", None),
        ("", None),
    ],
)
def test_a_place_is_a_host_and_a_port(text: str, expected: Place | None) -> None:
    assert parse_place(text) == expected


def test_local_ports_are_those_named_one_by_one() -> None:
    hosts = ["127.0.0.1:8080", "localhost:9000", "127.0.0.1", "example.com:8080", "127.0.0.1:80", "127.0.0.1:8080"]
    assert Rules(hosts).local() == (Place("127.0.0.1", 8080), Place("localhost", 9000))


def head(*lines: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n"


def test_a_tunnel() -> None:
    request = parse_head(head(b"CONNECT example.com:443 HTTP/1.1", b"Host: elsewhere.org"))
    assert (request.place, request.is_tunnel) == (Place("example.com", 443), True)


def test_a_plain_request_is_passed_on_for_its_own_host_alone() -> None:
    request = parse_head(
        head(
            b"POST http://example.com:8080/a?b HTTP/1.1",
            b"Host: elsewhere.org",
            b"Proxy-Authorization: Basic x",
            b"Connection: keep-alive, Upgrade",
            b"Content-Length: 3",
            b"X-Own:  kept ",
        )
    )
    assert request.length == 3
    assert request.head(absolute=False) == head(
        b"POST /a?b HTTP/1.1", b"Host: example.com:8080", b"Content-Length: 3", b"X-Own: kept", b"Connection: close"
    )
    assert request.head(absolute=True, more=b"A: b\r\n").startswith(b"POST http://example.com:8080/a?b HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"GET / HTTP/1.1", b"Host: example.com"],
        [b"GET https://example.com/ HTTP/1.1"],
        [b"GET http://user@example.com/ HTTP/1.1"],
        [b"GET http://example.com\\@evil.org/ HTTP/1.1"],
        [b"GET http://example.com/ HTTP/2"],
        [b"GET  http://example.com/ HTTP/1.1"],
        [b"CONNECT example.com HTTP/1.1"],
        [b"CONNECT http://example.com:443/ HTTP/1.1"],
        [b"POST http://example.com/ HTTP/1.1", b"Transfer-Encoding: chunked"],
        [b"POST http://example.com/ HTTP/1.1", b"transfer-encoding : chunked"],
        [b"POST http://example.com/ HTTP/1.1", b"Content-Length: 3", b"Content-Length: 30"],
        [b"POST http://example.com/ HTTP/1.1", b"Content-Length: 3, 30"],
        [b"POST http://example.com/ HTTP/1.1", b"Content-Length: +3"],
        [b"POST http://example.com/ HTTP/1.1", b"X: a", b" Content-Length: 3"],
        [b"GET http://example.com/ HTTP/1.1", b"X: a\nContent-Length: 3"],
        [b"GET http://example.com/ HTTP/1.1", b"X: a\rb"],
        [b"GET http://example.com/ HTTP/1.1", b"X: \0"],
        [b"GET http://example.com/ HTTP/1.1", b"no colon"],
        [b"\x16\x03\x01\x02\x00"],
    ],
)
def test_what_can_be_read_in_two_ways_is_no_request(lines: list[bytes]) -> None:
    with pytest.raises(BadRequestError):
        parse_head(head(*lines))


@given(st.binary(max_size=200))
def test_no_bytes_disturb_it(junk: bytes) -> None:
    for text in (junk, b"GET http://a/ HTTP/1.1\r\n" + junk, b"CONNECT " + junk + b" HTTP/1.1\r\n\r\n"):
        try:
            parse_head(text)
        except BadRequestError:
            continue


@pytest.mark.parametrize(
    ("without", "place", "direct"),
    [
        ("", "example.com:443", False),
        ("*", "example.com:443", True),
        ("example.com", "example.com:443", True),
        (".example.com, 10.0.0.1", "www.example.com:443", True),
        ("example.com", "www.example.com:443", True),
        ("ample.com", "example.com:443", False),
        ("example.com:80", "example.com:443", False),
        ("example.com:443", "example.com:443", True),
        ("127.0.0.1 ::1", "[::1]:443", True),
    ],
)
def test_the_proxy_of_the_machine_is_used_but_for_what_it_is_not_for(without: str, place: str, direct: bool) -> None:
    ways = Ways({"HTTPS_PROXY": "http://me:se%40cret@proxy.corp:3128", "no_proxy": without})
    asked = parse_place(place)
    assert asked is not None
    upstream = ways.upstream(asked, tunnel=True)
    assert (upstream is None) is direct
    if upstream is not None:
        assert upstream.place == Place("proxy.corp", 3128)
        assert upstream.authorization == b"Proxy-Authorization: Basic bWU6c2VAY3JldA==\r\n"
    assert ways.upstream(asked, tunnel=False) is None, "no HTTP_PROXY is set"


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "http://", "http://a:b:c", "http://[::1"])
def test_a_proxy_that_is_none_is_told(url: str) -> None:
    with pytest.raises(UnreachableError, match="proxy of this machine"):
        Ways({"all_proxy": url}).upstream(Place("example.com", 443), tunnel=True)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("224.0.0.1", True),
        ("10.1.2.3", False),
        ("93.184.216.34", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_no_name_may_lead_to(address: str, own: bool) -> None:
    assert is_own(address) is own


@pytest.mark.parametrize(
    ("variables", "hosts"),
    [
        ({}, API),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:4711/commit"}, ("127.0.0.1:4711",)),
        ({"ANTHROPIC_BASE_URL": "https://gateway.corp/v1"}, ("gateway.corp:443",)),
        ({"ANTHROPIC_BASE_URL": "http://[::1]:80"}, ("[::1]:80",)),
        ({"ANTHROPIC_BASE_URL": "no url"}, API),
        ({"ANTHROPIC_BASE_URL": "http://host:port"}, API),
        (
            {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "eu-west-1", "ANTHROPIC_BASE_URL": "https://unused"},
            tuple(f"{name}.eu-west-1.amazonaws.com" for name in ("bedrock-runtime", "bedrock", "sts")),
        ),
        (
            {"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BEDROCK_BASE_URL": "https://gateway.corp/bedrock"},
            ("gateway.corp:443",),
        ),
        (
            {"CLAUDE_CODE_USE_VERTEX": "1", "CLOUD_ML_REGION": "us-east5"},
            ("us-east5-aiplatform.googleapis.com", "oauth2.googleapis.com"),
        ),
        (
            {"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_RESOURCE": "mine"},
            ("mine.services.ai.azure.com", "login.microsoftonline.com"),
        ),
    ],
)
def test_what_claude_code_needs(variables: dict[str, str], hosts: tuple[str, ...]) -> None:
    assert needed_hosts(variables) == hosts
    assert all(re.search(HOST, host) for host in hosts)


def test_the_way_is_made_of_what_the_fleet_the_agent_and_its_harness_name() -> None:
    settings = SandboxSettings(net="proxy", hosts=("pypi.org",))
    assert passage(settings, ("api.example.com", "pypi.org")) == Passage(hosts=("pypi.org", "api.example.com"))
    assert passage(SandboxSettings(net="host", hosts=("pypi.org",))) is None
    assert passage(SandboxSettings(net="none")) is None


@pytest.mark.parametrize(
    ("kind", "net", "kept"),
    [("bwrap", "proxy", True), ("landlock", "proxy", False), ("off", "proxy", False), ("off", "host", True)],
)
def test_only_bubblewrap_can_keep_agents_to_a_proxy(kind: str, net: str, kept: bool) -> None:
    assert (not cannot_keep(kind, net)) is kept


def test_a_wrong_host_is_named_where_it_stands(tmp_path: Path) -> None:
    for name, load, text in (
        ("config.toml", load_settings, '[sandbox]\nhosts = ["example.com", "https://example.com"]\n'),
        ("agent.toml", lambda path: load_agent(path.parent), 'hosts = ["example.com:0"]\n'),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigError, match="it must be a list of hosts, such as"):
            load(tmp_path / name)
