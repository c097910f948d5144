"""`docker-compose` of a rehearsal: `version`, `config` and `up`, on the engine of DOCKER_HOST."""

import argparse
import contextlib
import http.client
import io
import json
import os
import re
import socket
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from console.compose.project import parse
from console.errors import ConsoleError
from console.simulator.compose.body import (
    VERSION,
    body_of,
    filled_in,
    hash_of,
    labels_of,
    name_of,
)

_USUAL = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_NOT_FOUND, _BAD = 404, 400
_LABEL = "com.docker.compose"


class _WrongError(Exception):
    """What compose would say before it ends with 1."""


class _Engine:
    """The engine of DOCKER_HOST."""

    def __init__(self) -> None:
        self._path = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Give an answer's content.

        Raises:
            _WrongError: the engine refuses, or is not there.
        """
        data = None if body is None else json.dumps(body)
        head = {"Content-Type": "application/json"} if data else {}
        answer, text = self._asked(method, path, data, head)
        if answer.status >= _BAD:
            raise _WrongError(f"Error response from daemon: {_message(text)}")
        return json.loads(text) if text.strip() else None

    def has(self, path: str) -> bool:
        """Tell whether something is there."""
        answer, _ = self._asked("GET", path, None, {})
        return answer.status != _NOT_FOUND

    def stream(self, path: str, data: bytes) -> None:
        """Tell what comes, line by line, until it is over.

        Raises:
            _WrongError: it ended badly.
        """
        with contextlib.closing(_Connection(self._path)) as connection:
            connection.request("POST", path, data, {"Content-Type": "application/x-tar"})
            answer = connection.getresponse()
            if answer.status >= _BAD:
                raise _WrongError(_message(answer.read().decode()))
            for line in answer:
                said = json.loads(line)
                if "error" in said:
                    raise _WrongError(said["error"])
                _tell((said.get("stream") or said.get("status") or "").rstrip())

    def _asked(
        self, method: str, path: str, data: str | None, head: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        try:
            with contextlib.closing(_Connection(self._path)) as connection:
                connection.request(method, path, data, head)
                answer = connection.getresponse()
                return answer, answer.read().decode("utf-8", "replace")
        except OSError as error:
            title = f"Cannot connect to the Docker daemon at unix://{self._path}"
            raise _WrongError(f"{title}. Is the docker daemon running?") from error


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text


def _tell(text: str) -> None:
    if text:
        sys.stderr.write(f" {text}\n")
        sys.stderr.flush()


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="docker-compose")
    parser.add_argument("-f", "--file", action="append", default=[])
    parser.add_argument("-p", "--project-name", default="")
    for option in ("--project-directory", "--env-file", "--progress", "--ansi"):
        parser.add_argument(option, default="")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("version").add_argument("--short", action="store_true")
    verbs.add_parser("config").add_argument("-q", "--quiet", action="store_true")
    up = verbs.add_parser("up")
    for options in (
        ("-d", "--detach"), ("--no-start",), ("--no-recreate",), ("--force-recreate",),
        ("--no-deps",), ("--build",), ("-V", "--renew-anon-volumes"),
    ):  # fmt: skip
        up.add_argument(*options, action="store_true")
    up.add_argument("services", nargs="*")
    return parser.parse_args(argv)


class _Project:
    """The compose files that were named, with what they mean."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.files = [Path(one) for one in asked.file] or _found()
        from_stdin = self.files == [Path("-")]
        first = Path.cwd() if from_stdin else self.files[0].absolute().parent
        self.place = Path(asked.project_directory or first).absolute()
        known = {**_env_file(Path(asked.env_file) if asked.env_file else self.place / ".env")}
        self._known = {**known, **os.environ}
        self.services: dict[str, dict[str, Any]] = {}
        for file in self.files:
            text = sys.stdin.read() if from_stdin else _read(file)
            self._add(filled_in(parse(text, file), self._known))
        usual = re.sub(r"[^a-z0-9_-]", "", self.place.name.lower()) or "default"
        self.name = str(asked.project_name or usual)

    def _add(self, content: Mapping[str, Any]) -> None:
        services = content.get("services")
        if not isinstance(services, Mapping):
            raise _WrongError("services must be a mapping")
        for name, service in services.items():
            if not isinstance(service, Mapping) or not {"image", "build"} & service.keys():
                raise _WrongError(f'service "{name}" has neither an image nor a build context')
            self.services[name] = {**self.services.get(name, {}), **service}
            body_of(self.services[name], "", "", self.place)


def _found() -> list[Path]:
    for name in _USUAL:
        if Path(name).is_file():
            return [Path(name).absolute()]
    raise _WrongError("no configuration file provided: not found")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise _WrongError(f"open {file}: {(error.strerror or '').lower()}") from error


def _env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines())
    return {key.strip(): value.strip() for key, found, value in pairs if found}


class _Up:
    """Brings services up."""

    def __init__(self, project: _Project, asked: argparse.Namespace) -> None:
        self._project = project
        self._asked = asked
        self._engine = _Engine()
        self._network = f"{project.name}_default"

    def bring(self, name: str) -> None:
        """Have a service's container, as it is asked for."""
        service = self._project.services.get(name)
        if service is None:
            raise _WrongError(f"no such service: {name}")
        mark = hash_of(service)
        there = self._there(name)
        changed = there is not None and there["Labels"].get(f"{_LABEL}.config-hash") != mark
        anew = self._asked.force_recreate or (changed and not self._asked.no_recreate)
        image = self._image(name, service)
        if not self._engine.has(f"/networks/{self._network}"):
            _tell(f"Network {self._network}  Creating")
            self._engine.ask("POST", "/networks/create", {"Name": self._network})
        if there is not None and anew:
            _tell(f"Container {there['Names'][0].lstrip('/')}  Recreate")
            self._engine.ask("POST", f"/containers/{there['Id']}/stop")
            self._engine.ask("DELETE", f"/containers/{there['Id']}?force=1")
            there = None
        ident = there["Id"] if there is not None else self._created(name, service, image, mark)
        if not self._asked.no_start:
            self._engine.ask("POST", f"/containers/{ident}/start")
            _tell(f"Container {name_of(service, name, self._project.name)}  Started")

    def _there(self, name: str) -> dict[str, Any] | None:
        wanted = [f"{_LABEL}.project={self._project.name}", f"{_LABEL}.service={name}"]
        query = urlencode({"all": 1, "filters": json.dumps({"label": wanted})})
        found: list[dict[str, Any]] = self._engine.ask("GET", f"/containers/json?{query}")
        return found[0] if found else None

    def _created(self, name: str, service: Mapping[str, Any], image: str, mark: str) -> str:
        project = self._project
        body = body_of(service, image, self._network, project.place)
        files = [one.absolute() for one in project.files]
        body["Labels"] |= labels_of(name, project.name, project.place, files, mark)
        called = name_of(service, name, project.name)
        _tell(f"Container {called}  Creating")
        made = self._engine.ask("POST", f"/containers/create?name={quote(called)}", body)
        _tell(f"Container {called}  Created")
        return str(made["Id"])

    def _image(self, name: str, service: Mapping[str, Any]) -> str:
        """Give the image's name; one that is not there is built or pulled."""
        image = str(service.get("image") or f"{self._project.name}-{name}")
        there = self._engine.has(f"/images/{quote(image, safe='/:')}/json")
        build = service.get("build")
        if build and (self._asked.build or not there):
            context = build if isinstance(build, str) else str(build.get("context", "."))
            file = "Dockerfile" if isinstance(build, str) else build.get("dockerfile", "Dockerfile")
            query = urlencode({"t": image, "dockerfile": file})
            self._engine.stream(f"/build?{query}", _archive(self._project.place / context))
        elif not there:
            repository, _, tag = image.rpartition(":")
            query = urlencode({"fromImage": repository or image, "tag": tag or "latest"})
            self._engine.stream(f"/images/create?{query}", b"")
        return image


def _archive(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        try:
            made.add(folder, arcname=".")
        except OSError as error:
            raise _WrongError(f"unable to prepare context: path {folder} not found") from error
    return packed.getvalue()


def main(argv: list[str] | None = None) -> int:
    """Do what is asked; gives the exit code."""
    asked = _parsed(argv)
    if asked.verb == "version":
        whole = f"Docker Compose version v{VERSION} (of a rehearsal)"
        sys.stdout.write(f"{VERSION if asked.short else whole}\n")
        return 0
    try:
        project = _Project(asked)
        if asked.verb == "config":
            if not asked.quiet:
                read = {"name": project.name, "services": project.services}
                sys.stdout.write(f"{json.dumps(read, indent=2)}\n")
            return 0
        up = _Up(project, asked)
        for name in asked.services or project.services:
            up.bring(name)
    except (_WrongError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ConsoleError as error:
        sys.stderr.write(f"{error.title}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
