"""Which engine we talk to, and why this one: the docker command line's own rules, followed."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.paths import find_home
from console.text import clean_line
from console.unknown import Unknown

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
_LARGEST_FILE = 1 << 20


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates for a `tcp://` engine, as paths; None where the system's own are used.

    `verify` tells whether the engine's certificate must prove its name.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    verify: bool = True


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The address of the engine and where it came from.

    Attributes:
        address: such as `unix:///var/run/docker.sock`; empty where `problem` says why.
        source: `DOCKER_HOST`, `DOCKER_CONTEXT studio`, `docker context studio` or `default`,
            with a remark in parentheses where the docker config could not be read.
        tls: certificates, for `tcp://` only.
        problem: why there is no address to use; None where there is one.
    """

    address: str
    source: str
    tls: TlsFiles | None = None
    problem: Unknown | None = None

    @property
    def socket_path(self) -> str | None:
        """The path of the unix socket, or None where the engine is reached otherwise."""
        if not self.address.startswith("unix://"):
            return None
        return "/" + self.address.removeprefix("unix://").lstrip("/")

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a password that somebody put into it."""
        if "@" not in self.address:
            return self.address
        from console.mask import mask_text

        return mask_text(self.address)


def resolve(environ: Mapping[str, str]) -> Endpoint:
    """Give the endpoint by the docker command line's order of precedence.

    `DOCKER_HOST`, then `DOCKER_CONTEXT`, then `currentContext` of config.json (in `DOCKER_CONFIG`
    or `~/.docker`), then the default socket. A context that is named but broken gives an endpoint
    with a `problem`: to fall back to another engine would be to act on the wrong one. A config.json
    that cannot be read gives the default, as it does for the docker command line. Never raises.
    """
    host = clean_line(environ.get("DOCKER_HOST", ""))
    if host:
        return Endpoint(
            address=_full(host), source="DOCKER_HOST", tls=_environment_tls(environ, host)
        )
    folder = _config_folder(environ)
    name = clean_line(environ.get("DOCKER_CONTEXT", ""))
    source = f"DOCKER_CONTEXT {name}"
    remark = ""
    if not name:
        name, remark = _current_context(folder)
        source = f"docker context {name}"
    if name in {"", "default"}:
        return Endpoint(address=DEFAULT_ADDRESS, source=f"default{remark}")
    return _from_context(folder, name, source)


def _full(host: str) -> str:
    """Give a host with its scheme: a bare path is a socket, anything else bare is TCP."""
    if host == "unix://":
        return DEFAULT_ADDRESS
    if "://" in host:
        return host
    return f"unix://{host}" if host.startswith("/") else f"tcp://{host}"


def _config_folder(environ: Mapping[str, str]) -> Path | None:
    """Give docker's configuration folder; None where there is not even a home."""
    if environ.get("DOCKER_CONFIG"):
        return Path(environ["DOCKER_CONFIG"])
    home = find_home(environ)
    return home / ".docker" if home else None


def _current_context(folder: Path | None) -> tuple[str, str]:
    """Give the active context's name (empty: none) and a remark for the source."""
    if folder is None:
        return "", ""
    try:
        settings = _read_json(folder / "config.json")
    except FileNotFoundError:
        return "", ""
    except (OSError, ValueError):
        return "", " (docker's config.json cannot be read)"
    name = settings.get("currentContext", "")
    if not isinstance(name, str):
        return "", " (docker's config.json has a currentContext that is not a name)"
    return clean_line(name), ""


def _from_context(folder: Path | None, name: str, source: str) -> Endpoint:
    """Give the endpoint that a context's meta.json names, or the reason why it does not."""
    import hashlib  # only where a context is named: the start of the program waits for imports

    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    meta = (folder or Path("/")) / "contexts" / "meta" / digest / "meta.json"
    try:
        described = _read_json(meta)
        docker = described["Endpoints"]["docker"]
        host = docker["Host"]
        if not isinstance(host, str) or not host.strip():
            return _broken(name, source, "it names no host")
    except FileNotFoundError:
        return _broken(name, source, "there is no such context")
    except PermissionError:
        return _broken(name, source, f"{meta} may not be read")
    except (OSError, ValueError, KeyError, TypeError):
        return _broken(name, source, f"{meta} is damaged")
    host = _full(clean_line(host))
    tls = None
    files = meta.parents[2] / "tls" / digest / "docker"
    if host.startswith("tcp://") and _there(files):
        tls = _tls_of(files, verify=docker.get("SkipTLSVerify") is not True)
    return Endpoint(address=host, source=source, tls=tls)


def _broken(name: str, source: str, why: str) -> Endpoint:
    problem = Unknown(
        "engine.context",
        clean_line(f"the docker context {name} cannot be used: {why}"),
        "see `docker context ls`; choose another with `docker context use` or set DOCKER_HOST",
    )
    return Endpoint(address="", source=source, problem=problem)


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ValueError where it is something else or absurdly large."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise ValueError("too large")
    try:
        content = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _environment_tls(environ: Mapping[str, str], host: str) -> TlsFiles | None:
    """Give what DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for, as the docker SDK reads them."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    folder = environ.get("DOCKER_CERT_PATH", "")
    if not _full(host).startswith("tcp://") or not (verify or folder):
        return None
    if not folder:
        home = _config_folder(environ)
        return _tls_of(home, verify=verify) if home else TlsFiles(verify=verify)
    return _tls_of(Path(folder), verify=verify)


def _tls_of(folder: Path, *, verify: bool) -> TlsFiles:
    return TlsFiles(
        ca=_there(folder / "ca.pem"),
        certificate=_there(folder / "cert.pem"),
        key=_there(folder / "key.pem"),
        verify=verify,
    )


def _there(path: Path) -> str | None:
    """Give the path as text if something is there that we may see."""
    with contextlib.suppress(OSError):
        if path.exists():
            return str(path)
    return None
