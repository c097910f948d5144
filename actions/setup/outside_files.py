"""The files of the step `outside`: for which proxy, where they go, and what a person does then."""

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from actions.setup.files.host import wanted_of_proxy
from actions.setup.files.proxies import (
    backend,
    backend_words,
    caddy_file,
    iis_files,
    nginx_file,
    site_at,
)
from actions.setup.files.wanted import Generated, Wanted
from actions.setup.files.writing import Draft, drafts_in, write_drafts
from actions.setup.ground import Ground
from actions.setup.wsl_network import Network, read_network
from console.errors import UsageError
from console.host.platform import is_wsl
from console.outside.address import PublicAddress
from console.paths import expand
from console.text import clean_line

_PORT = 8188
_LOGIN = "artist"
_WSL = "{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}"
"""What Hyper-V's firewall calls WSL: Microsoft's page on it, "Configure Hyper-V firewall"."""
_HASH = re.compile(r"^(\s*)(\S+) REPLACE_WITH_HASH$", re.MULTILINE)
_HERE = frozenset({"127.0.0.1", "localhost", "0.0.0.0", "::1"})  # noqa: S104 -- compared only


class ProxyFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What would be written for a proxy, and what is to be known of it.

    Attributes:
        drafts: the files, compared with what is there; those that are as they should be too.
        foreign: files that somebody else wrote there.
        kept: files of ours that somebody changed, which still lead to the right place.
        notes: why they are as they are, line by line.
        commands: what a person does with them, line by line.
    """

    folder: Path
    drafts: tuple[Draft, ...]
    foreign: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def todo(self) -> tuple[Draft, ...]:
        """The files that are to be written."""
        return tuple(
            one for one in self.drafts if one.state != "same" and one.path not in self.kept
        )

    def write(self, ground: Ground) -> tuple[str, ...]:
        """Write them; gives the paths, those of the copies of what was there too."""
        copies = write_drafts(ground.session, self.todo, ground.session.clock.now())
        return (*(str(one.path) for one in self.todo), *map(str, copies))


def network_of(ground: Ground) -> Network:
    """Give how Windows reaches this WSL: as answered, else as it is seen."""
    seen = read_network(ground.session.root)
    told = ground.answers.text("outside.network")
    if told and told != seen.mode:
        return Network(mode=told, why="as answered", closed=seen.closed and told == "nat")
    return seen


def usual_folder(ground: Ground) -> Path:
    """Give where the files go unless another folder is named: beside the config."""
    return ground.session.places.config_file.parent / "outside" / ground.name


def folder_of(ground: Ground) -> Path:
    """Give where the files go."""
    named = ground.answers.text("outside.folder")
    return expand(named, ground.session.environ) if named else usual_folder(ground)


def drive_is_there(folder: Path) -> bool:
    """Tell whether the Windows drive of a folder is mounted; what lies on none is well, too."""
    return not windows_path(folder) or Path(*folder.parts[:3]).is_dir()


def proxy_files(ground: Ground, proxy: str, address: PublicAddress) -> ProxyFiles:
    """Work out the files for a proxy; nothing is written.

    Raises:
        SetupFilesError: what is in the folder cannot be read.
        UsageError: the address or the folder is none for which files can be written.
    """
    site_at(address.base)
    _check(folder_of(ground))
    wanted = _wanted(ground, proxy, address)
    made = _made(proxy, wanted)
    folder = folder_of(ground)
    before = drafts_in(folder, made)
    drafts = tuple(map(_with_hash, before))
    return ProxyFiles(
        folder=folder,
        drafts=drafts,
        foreign=tuple(one.path for one in drafts if one.foreign),
        kept=tuple(one.path for one in drafts if _leads_there(one, wanted)),
        notes=tuple(_notes(ground, proxy, wanted)),
        commands=tuple(_commands(ground, proxy, folder, wanted)),
    )


def _check(folder: Path) -> None:
    if not folder.is_absolute():
        raise UsageError(
            "setup.relative-path",
            f"outside.folder is no absolute path: {clean_line(str(folder), 120)}",
            "It begins with / or ~/",
        )
    if not drive_is_there(folder):
        drive = Path(*folder.parts[:3])
        raise UsageError(
            "setup.no-drive",
            f"{drive} is not there: that drive of Windows is not mounted",
            "outside.folder names another folder; empty writes them beside the config",
        )


def write_of(ground: Ground, files: ProxyFiles) -> partial[tuple[str, ...]]:
    """Give what writes them."""
    return partial(files.write, ground)


def _made(proxy: str, wanted: Wanted) -> tuple[Generated, ...]:
    if proxy == "iis":
        return iis_files(wanted)
    return (caddy_file(wanted) if proxy == "caddy" else nginx_file(wanted),)


def _wanted(ground: Ground, proxy: str, address: PublicAddress) -> Wanted:
    known = {
        "service": ground.name,
        "port": _port(ground),
        "host": address.host,
        "public_port": address.port,
        "site_folder": windows_path(folder_of(ground)),
        "network": network_of(ground).mode,
        "login": ground.answers.text("outside.login") or _LOGIN,
    }
    return wanted_of_proxy(ground.session, proxy, known)


def _port(ground: Ground) -> int:
    service = ground.service
    try:
        port = urlsplit(service.service.url).port if service is not None else None
    except ValueError:
        port = None
    return port or _PORT


def _with_hash(draft: Draft) -> Draft:
    """Take over the password's hash that somebody has put into a Caddyfile of ours."""
    wanted = _HASH.search(draft.file.text)
    if wanted is None or draft.before is None or draft.foreign:
        return draft
    there = re.search(rf"^\s*{re.escape(wanted[2])} (\S+)$", draft.before, re.MULTILINE)
    if there is None:
        return draft
    text = draft.file.text.replace("REPLACE_WITH_HASH", there[1])
    return msgspec.structs.replace(draft, file=msgspec.structs.replace(draft.file, text=text))


def _leads_there(draft: Draft, wanted: Wanted) -> bool:
    """Tell whether a file of ours that somebody changed leads to the service all the same."""
    if draft.state != "different" or draft.foreign:
        return False
    places = [one for one in (wanted.host, backend(wanted)) if one in draft.file.text]
    return all(place in (draft.before or "") for place in places)


def _notes(ground: Ground, proxy: str, wanted: Wanted) -> Iterator[str]:
    if wanted.platform == "wsl":
        network = network_of(ground)
        yield f"address behind it: http://{backend(wanted)}"
        yield f"WSL is in {network.mode} mode ({network.why})"
        yield backend_words(wanted)
        if network.closed:
            yield (
                "localhostForwarding=false stands in .wslconfig: Windows does not reach localhost "
                "of WSL then; take the line away and run wsl --shutdown"
            )
    else:
        yield f"address behind it: http://{backend(wanted)}, on this host only"
        if proxy == "iis":
            yield backend_words(wanted)
        elif is_wsl(ground.session.root):
            yield from _windows_between(network_of(ground))
    service = ground.service
    host = urlsplit(service.service.url).hostname if service is not None else None
    if host and host not in _HERE:
        yield f"{ground.name} is at {host}: put that in the place of the address in the files"
    yield "Host is kept, else ComfyUI refuses browsers (403); uploads up to 100 MB"
    yield "nothing is held back, so that progress comes as it happens; an edit may take an hour"


def _windows_between(network: Network) -> Iterator[str]:
    """Say how visitors come through Windows to a proxy inside WSL."""
    yield f"WSL is in {network.mode} mode ({network.why})"
    if network.mode == "nat":
        yield "nobody from outside comes to WSL then: Windows forwards its own localhost only, and"
        yield "what else is forwarded ends with WSL's next start: take IIS, or mirrored mode"


def _commands(ground: Ground, proxy: str, folder: Path, wanted: Wanted) -> Iterator[str]:
    host, port = wanted.host, wanted.public_port
    yield f"name: a DNS record for {host} that leads to your router or server, port {port}"
    if proxy != "iis" and is_wsl(ground.session.root) and wanted.network == "mirrored":
        yield "firewall of Windows, which keeps all from WSL; as administrator, in PowerShell:"
        yield (
            "      New-NetFirewallHyperVRule -Name gpuconsole -DisplayName gpuconsole -Direction "
            f"Inbound -VMCreatorId '{_WSL}' -Protocol TCP -LocalPorts 80,{port}"
        )
    if proxy == "iis":
        yield from _iis_commands(ground, folder, host, port)
    elif proxy == "caddy":
        yield "certificate: Caddy gets and renews it itself, where port 80 or 443 is reached"
        file = shlex.quote(str(folder / "Caddyfile"))
        yield f"login: what caddy hash-password prints goes into {file}"
        yield f"then, once: cat {file} | sudo tee -a /etc/caddy/Caddyfile"
        yield "      sudo systemctl reload caddy"
    else:
        yield f"certificate: sudo certbot certonly --nginx -d {host}"
        login = f"sudo htpasswd -c /etc/nginx/gpuconsole.htpasswd {shlex.quote(wanted.login)}"
        yield f"login: {login}  # of apache2-utils"
        target = f"/etc/nginx/conf.d/{ground.name}.conf"
        yield f"then: {shlex.join(['sudo', 'cp', str(folder / 'nginx.conf'), target])}"
        yield "      sudo nginx -t"
        yield "      sudo systemctl reload nginx"
    yield f"at last: gpuconsole doctor --only outside --service {ground.name}, or look again here"


def _iis_commands(ground: Ground, folder: Path, host: str, port: int) -> Iterator[str]:
    site = windows_path(folder)
    if not site:
        site = rf"C:\inetpub\{ground.name}"
        yield f"on Windows, as administrator: mkdir {site}"
        yield _copied(ground, folder, site)
    yield f"run the lines of iis-commands.txt once, as administrator: they make the site {host}"
    yield f"      with the folder {site}, let the proxy work, and turn the login on"
    yield f"binding: https, port {port}, name {host}: the same lines make it, without certificate"
    yield f"certificate: win-acme (wacs.exe) gets one for {host}, binds it and renews it;"
    yield f"      for that the router lets port 80 and {port} through to Windows"
    yield "login: IIS asks for name and password of a user of Windows, over https only:"
    yield "      net user NAME * /add makes one for guests, who needs no other right"


def _copied(ground: Ground, folder: Path, site: str) -> str:
    if not is_wsl(ground.session.root):
        return f"copy {folder / 'web.config'} of this host to {site} there, as by scp"
    distribution = ground.session.environ.get("WSL_DISTRO_NAME", "") or "DISTRIBUTION"
    shared = str(folder).replace("/", "\\")
    return rf'copy "\\wsl.localhost\{distribution}{shared}\web.config" {site}'


def windows_path(path: Path) -> str:
    r"""Give a path below /mnt/c as Windows calls it, such as `C:\inetpub\x`; empty elsewhere."""
    parts = path.parts
    if len(parts) < 3 or parts[1] != "mnt" or len(parts[2]) != 1:
        return ""
    return f"{parts[2].upper()}:\\" + "\\".join(parts[3:])
