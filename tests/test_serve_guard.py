"""serve: who may ask, and how the server starts and ends."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest

from edi_checker.serve.endpoints import ENDPOINTS
from edi_checker.serve.guard import Access, TokenError, is_loopback, read_token
from edi_checker.serve.media import choose
from paths import ROOT
from serving import SAMPLE, serving, start, stop

TOKEN = "a-token-of-the-suite"


def refused(*options, env=None):
    command = [sys.executable, "-m", "edi_checker", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env, timeout=60)


def scope(method="GET", path="/", **headers):
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"method": method, "path": path, "headers": told}


def status(access, *args, **headers):
    problem = access.refuse(scope(*args, **headers))
    return problem.status if problem else 200


HERE = Access(None, frozenset({"localhost:8837", "127.0.0.1:8837"}))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "localhost:8837"}, 200),
        ({"host": "LOCALHOST:8837"}, 200),
        ({"host": "127.0.0.1:8837"}, 200),
        ({"host": "evil.example:8837"}, 421),
        ({"host": "localhost"}, 421),
        ({"host": "localhost:80"}, 421),
        ({}, 421),
    ],
)
def test_on_loopback_the_server_is_asked_by_its_own_name(headers, expected):
    """A page of another site whose name leads to 127.0.0.1 (DNS rebinding) cannot read an answer."""
    assert status(HERE, **headers) == expected
    assert status(HERE, "POST", **headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8837"}, 200),
        ({"origin": "https://localhost:8837"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[oops"}, 403),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "http://localhost:8837", "sec_fetch_site": "cross-site"}, 403),
    ],
)
def test_no_page_of_another_site_sends_a_form_here(headers, expected):
    assert status(HERE, "POST", host="localhost:8837", **headers) == expected
    assert status(HERE, "GET", host="localhost:8837", **headers) == 200


def basic(password):
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer ", 401),
        (basic(TOKEN), 200),
        (basic("wrong"), 401),
        ("Basic !!!", 401),
        ("Digest x", 401),
    ],
)
def test_with_a_token_only_who_knows_it_is_answered(given, expected):
    access = Access(TOKEN.encode(), None)
    headers = {} if given is None else {"authorization": given}
    assert status(access, host="claims.example", **headers) == expected
    assert status(access, "POST", "/v1/check", host="claims.example", **headers) == expected
    assert status(access, "GET", "/healthz", host="claims.example") == 200


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return file


def test_a_token_file_is_read_if_only_its_owner_can(token_file):
    assert read_token(token_file) == TOKEN.encode()
    for mode in (0o640, 0o604, 0o620, 0o666):
        token_file.chmod(mode)
        if token_file.stat().st_uid == os.geteuid():
            with pytest.raises(TokenError, match="chmod 600"):
                read_token(token_file)


@pytest.mark.parametrize("text", ["", "short", "two words of a token", "\u00e9" * 20, "x" * 5000])
def test_what_is_no_token_is_refused(token_file, text):
    token_file.write_text(text)
    with pytest.raises(TokenError):
        read_token(token_file)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.1.2.3", "localhost"])
def test_loopback(host):
    assert is_loopback(host)
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")
    assert not is_loopback("claims.example")


def test_what_is_accepted_chooses_the_form():
    forms = ("a/json", "a/csv", "b/html")
    assert choose("", forms) == "a/json"
    assert choose("*/*", forms) == "a/json"
    assert choose("b/*", forms) == "b/html"
    assert choose("a/json;q=0.2, b/html", forms) == "b/html"
    assert choose("*/*, a/json;q=0", forms) == "a/csv"
    assert choose("text/html,application/xhtml+xml", forms) is None
    assert choose("a/csv;q=nonsense", forms) is None


def test_each_address_says_what_it_is():
    assert len({each.path for each in ENDPOINTS}) == len(ENDPOINTS)
    assert all(each.about.endswith(".") for each in ENDPOINTS)


# -- start


def test_other_machines_are_not_served_without_a_token_or_tls():
    told = refused("--host", "0.0.0.0", "--port", "0")
    assert told.returncode == 2
    assert told.stderr == (
        "edi-checker: other machines reach 0.0.0.0:"
        " serve it with --token-file, or with --tls-cert and --tls-key\n"
    )


def test_a_port_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused("--port", str(taken.getsockname()[1]))
    assert told.returncode == 2
    assert "address already in use" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "no.such.host.invalid", "--token-file", "setup.cfg"), "edi-checker: setup.cfg: "),
        (
            ("--host", "203.0.113.7", "--tls-cert", "setup.cfg", "--tls-key", "setup.cfg"),
            "203.0.113.7 port 8837",
        ),
        (("--tls-cert", "setup.cfg"), "go together"),
        (("--port", "0", "--tls-cert", "setup.cfg", "--tls-key", "setup.cfg"), "certificate or its key"),
        (("--port", "99999"), "99999"),
        (("--profile", "medicair"), "Did you mean medicare"),
        (("--tables", "docs", "--port", "0"), "no tables are imported there"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(options, words):
    told = refused(*options)
    assert told.returncode == 2
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_without_the_extra_the_command_says_so(tmp_path):
    for name in ("starlette", "uvicorn"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no', name='{name}')")
    told = refused("--port", "0", env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert told.returncode == 2
    assert told.stderr == "edi-checker: serve needs starlette: pip install 'edi-checker[serve]'\n"


def test_the_start_of_other_commands_does_not_load_the_server():
    code = (
        "import sys; from edi_checker.cli import commands; commands.get_command(None, 'serve');"
        "print({'uvicorn', 'starlette', 'edi_checker.serve.server'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == "set()\n"


# -- with a token, with TLS, to the end


@pytest.mark.long
def test_a_token_is_asked_for(token_file):
    with serving("--token-file", str(token_file)) as served:
        told = served.get("/")
        assert told.status == 401
        assert "Basic realm" in told.headers["www-authenticate"]
        assert served.get("/healthz").status == 200
        assert served.get("/v1/tables", Authorization=f"Bearer {TOKEN}").status == 200
        # Behind another server the name is another one.
        assert served.get("/", Authorization=basic(TOKEN), Host="claims.example").status == 200
        log = "".join(served.log)
        assert TOKEN not in log


@pytest.mark.long
def test_tls(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    with serving("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")) as served:
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        plain = socket.create_connection(("127.0.0.1", served.port), timeout=10)
        with context.wrap_socket(plain, server_hostname="localhost") as channel:
            channel.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost:%d\r\n\r\n" % served.port)
            assert b"200 OK" in channel.recv(4096)
            assert channel.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_a_request_in_hand_be_finished(number):
    served = start("--workers", "1")
    body = SAMPLE.read_bytes()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as channel:
        head = (
            f"POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        channel.sendall(head.encode() + body[:100])
        time.sleep(0.3)
        served.process.send_signal(number)
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", served.port), timeout=5)
        channel.sendall(body[100:])
        told = b""
        while piece := channel.recv(1 << 16):
            told += piece
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert told.endswith(b"}\n")
    assert stop(served) == 0


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_and_no_folder_stays(tmp_path, number):
    served = start("--workers", "2", env={**os.environ, "TMPDIR": str(tmp_path)})
    assert served.get("/healthz").status == 200
    pids = [served.foreman, *served.workers()]
    served.process.send_signal(number)
    code = stop(served)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    for _ in range(50):
        if not any(is_alive(pid) for pid in pids):
            break
        time.sleep(0.1)
    assert not any(is_alive(pid) for pid in pids)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_what_is_started_with_nohup_stays_when_the_terminal_goes():
    served = start("--workers", "1", before=["nohup"])
    served.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert served.get("/healthz").status == 200
    assert stop(served) == 0


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.long
def test_without_its_foreman_the_server_ends():
    served = start("--workers", "1")
    os.kill(served.foreman, signal.SIGKILL)
    assert served.process.wait(20) == 2
    assert served.wait_for_log("the process that starts the workers is gone")
    stop(served)
