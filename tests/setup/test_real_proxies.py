"""The files for Caddy and nginx under the real programs, where this machine has them.

They are looked for on PATH; the doctor then sees what a visitor would.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.packaged import packaged
from tests.setup.walking import Walk, walk
from tests.support.edits import COMFY
from tests.support.waiting import wait_until

PEM = packaged("rehearsal_tls/good.pem")
NGINX = """
user root; daemon off; pid {work}/pid; error_log {work}/errors; events {{}}
http {{
    access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p;
    fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
    {site}
}}
"""


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


@contextlib.contextmanager
def running(port: int, *words: str, home: Path) -> Iterator[None]:
    """Have a proxy that listens at a port."""
    environ = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home)}
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(words, env=environ, stdout=said, stderr=said)
    try:
        wait_until(lambda: listens(port), 30)
        yield
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def written(one: Walk, proxy: str, port: int) -> str:
    """Write the file of a proxy, and give what stands in it."""
    one.forget_address()
    one.do("outside", outside={"public_url": f"https://localhost:{port}", "proxy": proxy})
    (file,) = (one.config.parent / "outside" / COMFY).iterdir()
    return file.read_text()


def judged(one: Walk, *, accepted: bool) -> str:
    """Give what is said of the way in: finished, and how."""
    report = one.look("outside", outside={"open_accepted": accepted})
    assert report.state == "done", report
    return report.detail


def test_nginx_asks_for_a_login_and_lets_all_else_through(tmp_path: Path) -> None:
    nginx = program("nginx")
    with walk(tmp_path / "home", "outside") as one:
        port = free_port()
        site = written(one, "nginx", port)
        site = re.sub(r"/etc/letsencrypt/\S+\.pem", str(PEM), site)
        site = site.replace("/etc/nginx/gpuconsole.htpasswd", str(tmp_path / "passwords"))
        (tmp_path / "passwords").write_text("artist:{PLAIN}secret\n")
        open_site = re.sub(r"^\s*auth_basic.*$", "", site, flags=re.MULTILINE)
        config = tmp_path / "nginx.conf"
        words = (nginx, "-p", str(tmp_path), "-c", str(config))
        config.write_text(NGINX.format(work=tmp_path, site=site))
        with running(port, *words, home=tmp_path):
            assert "asks for a login" in judged(one, accepted=False)
        config.write_text(NGINX.format(work=tmp_path, site=open_site))
        with running(port, *words, home=tmp_path):
            assert "open to anybody" in judged(one, accepted=True)


def test_caddy_asks_for_a_login_and_lets_all_else_through(tmp_path: Path) -> None:
    caddy = program("caddy")
    made = subprocess.run(
        [caddy, "hash-password", "--plaintext", "secret"],
        capture_output=True,
        text=True,
        check=True,
    )
    version = subprocess.run([caddy, "version"], capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)\.(\d+)", version)
    old = numbers is None or tuple(map(int, numbers.groups())) < (2, 8)
    with walk(tmp_path / "home", "outside") as one:
        port = free_port()
        site = written(one, "caddy", port).replace("REPLACE_WITH_HASH", made.stdout.strip())
        site = site.replace("basic_auth", "basicauth") if old else site
        site = site.replace(f":{port} {{", f":{port} {{\n\ttls {PEM} {PEM}")
        open_site = re.sub(r"\tbasic_?auth \{\n.*\n\t\}\n", "", site)
        config = tmp_path / "Caddyfile"
        words = (caddy, "run", "--config", str(config), "--adapter", "caddyfile")
        for text, accepted, says in (
            (site, False, "asks for a login"),
            (open_site, True, "open to anybody"),
        ):
            config.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}")
            with running(port, *words, home=tmp_path):
                assert says in judged(one, accepted=accepted)
