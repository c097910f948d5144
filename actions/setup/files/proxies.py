"""The way in from outside: IIS, Caddy and nginx in front of ComfyUI."""

from xml.sax.saxutils import escape

from actions.setup.files.filling import template
from actions.setup.files.wanted import Generated, Wanted
from console.errors import ConsoleError, UsageError
from console.outside.address import PublicAddress, public_address
from console.text import clean_line

_HTTPS = 443


def site_at(url: str) -> PublicAddress:
    """Give a public address for which a proxy's files can be written.

    Raises:
        UsageError: it is none, or one of numbers, of plain http, or with a path.
    """
    try:
        address = public_address(url)
    except ConsoleError as error:
        raise UsageError(error.code, error.title, error.hint) from error
    shown = clean_line(address.base, 120)
    odd = ""
    if address.numeric:
        odd = f"{shown} has an address of numbers: site and certificate are for a name"
    elif address.path:
        odd = f"{shown} has the path {clean_line(address.path, 60)}: a site is for a whole name"
    elif not address.secure:
        odd = f"{shown} is plain http: the files are for https, which a login must have"
    if odd:
        raise UsageError(
            "setup.public-name", odd,
            "Such as https://qwen.example.org; ComfyUI wants a name of its own, not a path",
        )  # fmt: skip
    return address


def iis_files(wanted: Wanted) -> tuple[Generated, ...]:
    """Give IIS' `web.config`, and the commands without which it does not work."""
    config = template(
        "web.config",
        service=escape(wanted.service, {'"': "&quot;"}),
        backend=escape(f"http://{backend(wanted)}"),
        backend_words=escape(backend_words(wanted)),
    )
    commands = template(
        "iis-commands.txt",
        service=wanted.service,
        host=wanted.host,
        port=str(wanted.public_port),
        address=public_name(wanted),
        site_folder=site_folder(wanted),
    )
    return (
        Generated(name="web.config", text=config, notes=(backend_words(wanted),)),
        Generated(name="iis-commands.txt", text=commands),
    )


def caddy_file(wanted: Wanted) -> Generated:
    """Give a site of Caddy's, with a login."""
    text = template(
        "Caddyfile",
        service=wanted.service,
        address=public_name(wanted),
        user=wanted.login,
        backend_host=backend(wanted),
    )
    return Generated(name="Caddyfile", text=text)


def nginx_file(wanted: Wanted) -> Generated:
    """Give a server of nginx', with a login."""
    text = template(
        "nginx.conf",
        service=wanted.service,
        host=wanted.host,
        port=str(wanted.public_port),
        user=wanted.login,
        backend_host=backend(wanted),
    )
    return Generated(name="nginx.conf", text=text)


def public_name(wanted: Wanted) -> str:
    """Give the name as it is typed, with the port where that is not https' own."""
    return wanted.host if wanted.public_port == _HTTPS else f"{wanted.host}:{wanted.public_port}"


def site_folder(wanted: Wanted) -> str:
    """Give the folder of IIS' site, as Windows names it."""
    return wanted.site_folder or rf"C:\inetpub\{wanted.service}"


def backend(wanted: Wanted) -> str:
    """Give the address at which a proxy on Windows, or on this host, reaches the service."""
    port = wanted.port or 8188
    forwarded = wanted.platform == "wsl" and wanted.network == "nat"
    return f"localhost:{port}" if forwarded else f"127.0.0.1:{port}"


def backend_words(wanted: Wanted) -> str:
    """Say which address holds, and why."""
    if wanted.platform != "wsl":
        return (
            "The service is published on the loopback of its own host: an IIS on another machine "
            "needs a tunnel to it, or a bind address that is open to the network."
        )
    if wanted.network == "nat":
        return (
            "Windows forwards localhost to WSL (NAT mode); the address of the WSL host itself "
            "changes with each of its starts."
        )
    return "In mirrored mode Windows and WSL share 127.0.0.1, and their ports."
