"""One GET to the address of a service that notices when no more of them come.

Under the same rules as a webhook: https only, no redirect, no address of this network, one deadline
for the whole exchange. The URL is a secret, so no error holds any part of it.
"""

from __future__ import annotations

from ssl import SSLContext
from urllib.request import Request

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret
from eventwatch.notifiers.address import checked_hook, may_be_hook
from eventwatch.notifiers.slack_client import mute_logger
from eventwatch.notifiers.transport import NotConnected, exchange
from eventwatch.notifiers.verdicts import BROKEN

SETTING = "heartbeat_url"


def ping(url: Secret, timeout: float, *, context: SSLContext | None = None) -> None:
    """Raises DeliveryError unless the service said that it heard it (2xx) within ``timeout`` seconds."""
    checked = checked_hook(url.reveal(), SETTING)
    request = Request(checked, headers={"User-Agent": "eventwatch"}, method="GET")
    try:
        reply = exchange(
            request,
            timeout,
            proxy=load_http_proxy_from_env(mute_logger()),
            context=context,
            peer=may_be_hook(checked),
        )
    except NotConnected as error:
        raise DeliveryError(f"{SETTING}: {error}") from None
    except BROKEN as error:
        raise DeliveryError(f"{SETTING}: no answer ({type(error).__name__})") from None
    if 300 <= reply.status < 400:
        raise DeliveryError(
            f"{SETTING}: redirected (HTTP {reply.status}), which is not followed; configure where it "
            "leads to"
        )
    if not 200 <= reply.status < 300:
        raise DeliveryError(f"{SETTING}: the service says HTTP {reply.status}")
