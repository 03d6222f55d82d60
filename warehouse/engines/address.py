"""Where a Spark cluster listens, and with which login.

In: a URL, or the parts of an Airflow connection. Out: an `Address`, which gives the client and dbt
what they need. Touches nothing. The secret stands in no repr, and no error repeats the URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kehu.errors import SettingsError

CONNECT, THRIFT = "sc", "thrift"
_PORTS = {CONNECT: 15002, THRIFT: 10000}
_AUTH = ("NOSASL", "NONE", "LDAP", "CUSTOM", "KERBEROS")
_FORMS = (
    "give sc://host:port (with a login sc://host:port/;token=…) or "
    "thrift://user:password@host:port/?auth=" + "|".join(_AUTH)
)


@dataclass(frozen=True)
class Address:
    """One Spark server: `scheme` is `sc` (Spark Connect) or `thrift` (HiveServer2).

    `secret` is the token of Connect or the password of Thrift. `options`: of Connect the other
    parameters of its URL; of Thrift `auth`, `use_ssl`, `kerberos_service_name`.
    """

    scheme: str
    host: str
    port: int
    user: str | None = None
    secret: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.scheme not in _PORTS or not self.host:
            raise _unusable("is no address of Spark")
        if self.scheme == THRIFT and self.auth not in _AUTH:
            raise _unusable(f"names a login that is none of {', '.join(_AUTH)}")
        if (self.scheme == THRIFT and self.secret is not None) != (
            self.scheme == THRIFT and self.auth in ("LDAP", "CUSTOM")
        ):
            raise _unusable("needs a password exactly when auth is LDAP or CUSTOM")

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address that a URL names; raises `SettingsError` for anything else."""
        try:
            parts = urlsplit(url.strip())
            scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        except ValueError:
            raise _unusable("is no URL") from None
        pairs = (
            [part.partition("=")[::2] for part in parts.path.strip("/").split(";") if part]
            if scheme == CONNECT
            else parse_qsl(parts.query)
        )
        options = {name: unquote(value) for name, value in pairs}
        return cls.of(
            scheme,
            host,
            port,
            unquote(parts.username) if parts.username else options.pop("user_id", ""),
            unquote(parts.password) if parts.password else options.pop("token", ""),
            options,
        )

    @classmethod
    def of(
        cls,
        scheme: str,
        host: str,
        port: int | None,
        user: str | None,
        secret: str | None,
        options: Mapping[str, str],
    ) -> Address:
        """The address that consists of these parts, with the usual port."""
        return cls(
            scheme, host, port or _PORTS.get(scheme, 0), user or None, secret or None, options
        )

    @property
    def shown(self) -> str:
        """What messages say of it."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def auth(self) -> str:
        return self.options.get("auth", "NONE").upper()

    @property
    def remote(self) -> str:
        """URL for the client of Spark Connect, with the login in it."""
        given = {"user_id": self.user, "token": self.secret, **self.options}
        listed = ";".join(f"{name}={quote(text)}" for name, text in given.items() if text)
        return f"{self.shown}/;{listed}" if listed else self.shown

    @property
    def dbt_target(self) -> str:
        """Name of the output in `dbt_project/profiles.yml`."""
        return "spark" if self.scheme == CONNECT else "spark_thrift"

    @property
    def dbt_environment(self) -> dict[str, str]:
        """Variables that the profile reads; dbt keeps those named DBT_ENV_SECRET_… secret."""
        if self.scheme == CONNECT:
            return {"SPARK_REMOTE": self.remote}
        told = {
            "KEHU_SPARK_HOST": self.host,
            "KEHU_SPARK_PORT": str(self.port),
            "KEHU_SPARK_USER": self.user,
            "KEHU_SPARK_AUTH": self.auth,
            "KEHU_SPARK_KERBEROS_SERVICE": self.options.get("kerberos_service_name"),
            "KEHU_SPARK_SSL": self.options.get("use_ssl"),
            "DBT_ENV_SECRET_KEHU_SPARK_PASSWORD": self.secret,
        }
        return {name: text for name, text in told.items() if text is not None}


def _unusable(reason: str) -> SettingsError:
    return SettingsError(
        f"The address of the Spark cluster {reason}.",
        where="KEHU_SPARK_URL, or the Airflow connection kehu_spark",
        do=_FORMS,
    )
