"""The JSON webhook: documented, signed, at least once, and only to where it was meant to go."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from eventwatch.model.alert import Action, Message, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret, WebhookSettings
from eventwatch.notifiers.address import checked_hook, may_be_hook
from eventwatch.notifiers.webhook import SIGNATURE, WebhookNotifier, document
from eventwatch.ports.notifier import MAY_REPEAT
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack import FakeSlack, Fault
from tests.notifiers.builders import NOW, SECOND, delivery

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "webhook.schema.json").read_text())


def hook(slack: FakeSlack, secret: str = "", timeout: float = 5.0) -> WebhookNotifier:
    return WebhookNotifier(
        WebhookSettings(
            Secret(slack.hook_url), Secret(secret) if secret else None, timedelta(seconds=timeout)
        )
    )


def valid(of: object) -> None:
    jsonschema.validate(of, SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("action", [Action.POST, Action.UPDATE, Action.REPLY])
def test_what_is_posted_is_what_the_schema_says(slack: FakeSlack, action: Action) -> None:
    row = delivery(action=action, post_id="p1", incident_ids=("0a1b",), channel="webhook")
    assert hook(slack).send(row, NOW).verdict is Verdict.SENT
    ((headers, posted),) = slack.hooked
    valid(posted)
    assert posted["action"] == action.value
    assert (posted["key"], posted["message"], posted["incidents"]) == ("k1", "p1", ["0a1b"])
    assert headers["Idempotency-Key"] == "k1"
    assert SIGNATURE not in headers


def test_hostile_text_stays_inside_its_string() -> None:
    for name in HOSTILE:
        made = document(delivery(message=Message("", "", f"{name}\nrest"), team=name))
        valid(json.loads(json.dumps(made, ensure_ascii=False).encode("utf-8", "replace")))


def test_the_signature_can_be_verified_and_is_bound_to_its_time(slack: FakeSlack) -> None:
    hook(slack, secret="s3cret").send(delivery(), NOW)
    _, headers, raw = slack.requests[-1]
    seconds, _, hexdigest = headers[SIGNATURE].partition(",v1=")
    assert seconds == f"t={int(NOW.timestamp())}"
    signed = seconds.removeprefix("t=") + "." + raw
    assert hexdigest == hmac.new(b"s3cret", signed.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault(closes=True, stored=True), Verdict.RETRY),
        (Fault(status=500, stored=True), Verdict.RETRY),
        (Fault(status=503), Verdict.RETRY),
        (Fault(truncated=True), Verdict.RETRY),
        (Fault(status=401), Verdict.RETRY),
        (Fault(status=404), Verdict.RETRY),
        (Fault(status=400), Verdict.REFUSED),
        (Fault(status=410), Verdict.REFUSED),
        (Fault(status=413), Verdict.REFUSED),
    ],
)
def test_every_end_but_a_refusal_is_tried_again_under_the_same_key(
    slack: FakeSlack, fault: Fault, verdict: Verdict
) -> None:
    slack.faults = [fault]
    notifier, row = hook(slack), delivery()
    outcome = notifier.send(row, NOW)
    assert outcome.verdict is verdict
    if verdict is Verdict.RETRY:
        assert outcome.retry_at is not None
        assert (MAY_REPEAT in outcome.reason) == (
            fault.stored or fault.status >= 500 or fault.truncated
        )
        again = notifier.send(delivery(last_error=outcome.reason, attempts=2), outcome.retry_at)
        assert again.verdict is Verdict.SENT
        assert {headers["Idempotency-Key"] for headers, _ in slack.hooked} == {"k1"}
        assert slack.hooked[-1][1]["may_repeat"] == (MAY_REPEAT in outcome.reason)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("1.5", 1.5), (None, 30), ("soon", 30)])
def test_retry_after_is_honoured(slack: FakeSlack, header: str | None, seconds: float) -> None:
    slack.faults = [Fault(status=429, retry_after=header)]
    assert hook(slack).send(delivery(), NOW).retry_at == NOW + seconds * SECOND


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(slack: FakeSlack, status: int) -> None:
    with FakeSlack().running() as thief:
        slack.faults = [Fault(status=status, location=thief.hook_url)]
        outcome = hook(slack).send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert thief.requests == []


@pytest.mark.parametrize("fault", [Fault(hangs=True), Fault(drips=True)])
def test_a_receiver_that_does_not_end_is_left_at_the_deadline(
    slack: FakeSlack, fault: Fault
) -> None:
    slack.faults = [fault]
    assert hook(slack, timeout=0.3).send(delivery(), NOW).verdict is Verdict.RETRY


def test_a_row_found_half_sent_is_sent_again(slack: FakeSlack) -> None:
    outcome = hook(slack).reconcile(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert MAY_REPEAT in outcome.reason


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "ftp://hooks.example/x",
        "https://user:pass@hooks.example/x",
        "https://user@hooks.example/x",
        "https://hooks.example/x#fragment",
        "https:///x",
        "https://",
        "//hooks.example/x",
        "https://hooks.example:99999/x",
        "https://hooks.example/a b",
        "https://hooks.example\\@evil.example/",
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/x",
        "https://[fd00:ec2::254]/x",
        "https://[::ffff:169.254.169.254]/x",
        "https://0.0.0.0/x",
        "https://[::]/x",
        "https://224.0.0.1/x",
        "https://100.100.100.200/x",
        "http://10.0.0.7/x",
        "https://10.0.0.7/x",
        "https://192.168.1.1/x",
        "http://127.0.0.1.nip.example/x",
        "http://localhost./x",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_that_no_webhook_has_is_refused_without_being_named(url: str) -> None:
    with pytest.raises(DeliveryError) as refused:
        checked_hook(url, "notify.webhook.url")
    assert "hooks.example" not in str(refused.value)
    assert "169.254" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/x?token=1",
        "https://hooks.example:8443/x",
        "http://127.0.0.1:8080/x",
        "http://localhost/x",
        "http://[::1]:80/x",
    ],
)
def test_addresses_that_webhooks_have_are_accepted(url: str) -> None:
    assert checked_hook(url, "notify.webhook.url") == url


@pytest.mark.parametrize(
    ("url", "address", "allowed"),
    [
        ("https://hooks.example/", "203.0.113.7", True),
        ("https://hooks.example/", "10.1.2.3", True),
        ("https://hooks.example/", "127.0.0.1", False),
        ("https://hooks.example/", "::1", False),
        ("https://hooks.example/", "::ffff:127.0.0.1", False),
        ("https://hooks.example/", "169.254.169.254", False),
        ("https://hooks.example/", "fe80::1%eth0", False),
        ("http://localhost/", "127.0.0.1", True),
        ("http://localhost/", "203.0.113.7", False),
    ],
)
def test_where_a_name_leads_to_is_judged_by_the_connection(
    url: str, address: str, allowed: bool
) -> None:
    assert may_be_hook(url)(address) is allowed


def test_a_name_that_leads_to_this_machine_gets_nothing(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    settings = WebhookSettings(Secret(f"https://0x7f.1:{slack.port}/hook/x"), None)
    outcome = WebhookNotifier(settings).send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert "not allowed" in outcome.reason
    assert slack.requests == []


def test_neither_url_nor_secret_shows(slack: FakeSlack) -> None:
    notifier = hook(slack, secret="s3cret")
    slack.faults = [Fault(status=500)]
    shown = repr(notifier) + notifier.send(delivery(), NOW).reason
    assert "canary" not in shown
    assert "s3cret" not in shown
