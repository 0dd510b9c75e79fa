"""POST batches to Meta's Graph API and say what came back: the only module that speaks HTTP.

It never raises for network trouble and never tries again by itself: whether bytes may have gone out is what the caller
must know, and only this module can tell. A POST that failed before its first byte was sent is `NotSent`, everything
after that is `InDoubt`.
"""

import http.client
import os
import re
import socket
import ssl
import threading
import time
import traceback
from http.cookiejar import DefaultCookiePolicy
from weakref import WeakSet

import certifi
import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions

from capi_relay import failpoints
from capi_relay.errors import MisconfiguredError
from worker.answer import Answer, InDoubt, NotSent, Response
from worker.body import Body, body_of
from worker.bounded_socket import AnswerTooLongError, budget, connect_in_time, tls_context
from worker.tokens import AccessToken

__all__ = ["Answer", "GraphClient", "InDoubt", "NotSent", "Response", "body_of"]

MAX_ANSWER_BYTES = 1_000_000
_IDLE_SECONDS = 30.0
_DATASET_ID = re.compile(r"[0-9]{1,32}")
_VERSION = re.compile(r"v[0-9]+\.[0-9]+")


class GraphClient:
    """A thread-safe client of one Graph URL: a session for each thread, connections kept alive between POSTs."""

    def __init__(
        self,
        *,
        url: str,
        version: str,
        total_seconds: float,
        connect_seconds: float = 3.0,
        ca_file: str | None = None,
    ) -> None:
        """Prepare; nothing is opened before the first POST.

        Args:
            url: scheme, host and port, checked by the settings.
            version: of the Graph API, like v23.0.
            total_seconds: for a POST from the name lookup to the answer's last byte.
            connect_seconds: for each address of the host, and for the TLS handshake.
            ca_file: certificates to trust instead of certifi's.

        Raises:
            MisconfiguredError: no version of the Graph API looks like this.
        """
        if not _VERSION.fullmatch(version):
            raise MisconfiguredError("the Graph version must look like v23.0")
        self._base = f"{url.rstrip('/')}/{version}"
        self._total_seconds = total_seconds
        self._connect_seconds = connect_seconds
        self._tls = tls_context(ca_file or certifi.where())
        self._mine = _Mine()
        self._lock = threading.Lock()
        self._all: WeakSet[requests.Session] = WeakSet()

    def post(self, dataset_id: str, token: AccessToken, body: Body) -> Answer:
        """Send one batch and return what came back within the total deadline.

        Raises MisconfiguredError for what is no dataset id; MemoryError and programming errors come through.
        """
        if not _DATASET_ID.fullmatch(dataset_id):
            raise MisconfiguredError("a dataset id has 1 to 32 digits and nothing else")
        url = f"{self._base}/{dataset_id}/events"
        with budget(self._total_seconds, MAX_ANSWER_BYTES) as spent:
            try:
                return _exchange(self._session(), url, token, body, self._connect_seconds, self._total_seconds)
            except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError) as error:
                reason = _reason(error)
                return InDoubt(reason) if spent.sent else NotSent(reason)
            except Exception as error:
                traceback.clear_frames(error.__traceback__)  # their locals hold the request's headers, and so the token
                raise

    def close(self) -> None:
        """Close the idle connections of all threads; a later POST opens its own again."""
        with self._lock:
            for session in self._all:
                session.close()

    def _session(self) -> requests.Session:
        """Return this thread's session, without the connections that waited long enough to have died unseen.

        A forked child makes its own: two processes on one connection would read each other's answers.
        """
        mine = self._mine
        if mine.session is None or mine.pid != os.getpid():
            mine.session, mine.pid = _new_session(self._tls), os.getpid()
            with self._lock:
                self._all.add(mine.session)
        elif time.monotonic() - mine.used_at > _IDLE_SECONDS:
            mine.session.close()
        mine.used_at = time.monotonic()
        return mine.session


class _Mine(threading.local):
    """What belongs to one thread."""

    session: requests.Session | None = None
    pid = 0
    used_at = 0.0


def _exchange(
    session: requests.Session, url: str, token: AccessToken, body: Body, connect_seconds: float, total_seconds: float
) -> Response:
    """Send and read; the budget in force cuts every wait."""
    with session.post(
        url,
        data=body,
        headers={"Authorization": f"Bearer {token.reveal()}"},
        timeout=(connect_seconds, total_seconds),
        allow_redirects=False,
        stream=True,
    ) as answer:
        # Not .content, which would unpack what a server compressed although it was asked not to.
        whole = b"".join(answer.raw.stream(65536, decode_content=False))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        failpoints.reach("after_post")
        return Response(answer.status_code, headers, whole)


def _new_session(tls: ssl.SSLContext) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no proxy, no .netrc and no certificates by grace of the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "capi-relay",
        }
    )
    for adapter in list(session.adapters):
        session.mount(adapter, _Adapter(tls))
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none: even when told not to follow, requests reads and unpacks a redirect's whole body."""


class _Connection(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return connect_in_time(super()._new_conn)


class _TlsConnection(urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return connect_in_time(super()._new_conn)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections that keep to the budget, TLS by our context alone, and no retries."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(max_retries=0)
        self.poolmanager = urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=tls)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """Leave the context as it is: requests would load certifi's certificates into it for every connection."""


def _reason(error: BaseException) -> str:
    """Say in a few words what failed, by the innermost cause: the texts around it hold the URL."""
    while isinstance(inner := error.__cause__ or error.__context__, (OSError, http.client.HTTPException)) or isinstance(
        inner, urllib3.exceptions.HTTPError
    ):
        error = inner
    match error:
        case socket.gaierror():
            return f"the host's name could not be resolved ({error.strerror})"
        case ssl.SSLCertVerificationError():
            return f"the server's certificate was refused ({error.verify_message})"
        case TimeoutError() | urllib3.exceptions.TimeoutError():
            return "no answer in time"
        case AnswerTooLongError():
            return "the answer was longer than 1 MB"
        case OSError() if error.strerror:
            return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
