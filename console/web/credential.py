"""How to log in to a service: the secret is read when it is needed and shown to nobody."""

import base64
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

import msgspec

from console.config.schema import Auth
from console.config.secret import read_secret
from console.mask import MASK, mask_text
from console.text import clean_line
from console.unknown import Unknown


class Login(msgspec.Struct, frozen=True):
    """What one request carries: a header's value, or a query parameter with its value.

    `forms` are all the ways in which the secret may come back in an answer; `missing` says why
    there is no secret although one is configured.
    """

    header: str = ""
    parameter: str = ""
    value: str = ""
    forms: tuple[str, ...] = ()
    missing: Unknown | None = None

    @property
    def sent(self) -> bool:
        """Whether the request carries a login at all."""
        return bool(self.header or self.parameter)

    def scrub(self, text: str, limit: int = 300) -> str:
        """Give a text from outside as one clean line, without this or any other secret in it."""
        for form in self.forms:
            text = text.replace(form, MASK)
        return mask_text(clean_line(text, limit))


NO_LOGIN = Login()


class Credential:
    """Where a service's secret is, and in which form the service takes it.

    Args:
        auth: scheme and place of the secret; None is no login.
        environ: where environment variables are looked up.
    """

    def __init__(self, auth: Auth | None, environ: Mapping[str, str]) -> None:
        self._auth = auth
        self._environ = environ

    def read(self) -> Login:
        """Read the secret anew: a file may have been renewed since."""
        if self._auth is None:
            return NO_LOGIN
        secret = read_secret(self._auth, self._environ)
        if isinstance(secret, Unknown):
            return Login(missing=secret)
        if not secret.isprintable():
            return Login(forms=_forms(secret), missing=_UNUSABLE)
        return _login(self._auth, secret)


_UNUSABLE = Unknown("secret.unusable", "the secret has control characters or the wrong form")


def _login(auth: Auth, secret: str) -> Login:
    if auth.scheme == "query":
        return Login(parameter=auth.name, value=secret, forms=_forms(secret))
    if auth.scheme == "basic":
        packed = base64.b64encode(secret.encode()).decode()
        _user, colon, password = secret.partition(":")
        if not colon:
            return Login(forms=_forms(secret), missing=_UNUSABLE)
        forms = (*_forms(secret), packed, *(_forms(password) if password else ()))
        return Login(header=f"Basic {packed}", forms=forms)
    if not secret.isascii():
        return Login(forms=_forms(secret), missing=_UNUSABLE)
    return Login(header=f"Bearer {secret}", forms=_forms(secret))


def _forms(secret: str) -> tuple[str, ...]:
    """Give a secret in every form in which a server may echo it, the longest first."""
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return tuple(sorted(forms, key=len, reverse=True))
