"""A secret goes to Slack or stays on this machine."""

from __future__ import annotations

import pytest

from eventwatch.model.errors import DeliveryError
from eventwatch.notifiers.address import checked_url

GOOD = (
    "https://slack.com/api/",
    "https://SLACK.com/api/",
    "https://slack.com:443/api/",
    "https://slack-gov.com/api/",
    "https://hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack-gov.com/services/T0/B0/x",
    "http://127.0.0.1:8080/api/",
    "http://127.9.9.9/",
    "http://localhost:8080/api/",
    "http://[::1]:8080/api/",
    "https://127.0.0.1/",
)
BAD = (
    "http://slack.com/api/",
    "ftp://slack.com/",
    "file:///etc/passwd",
    "//slack.com/",
    "slack.com",
    "",
    "https://",
    "https://evil.example/",
    "https://slack.com.evil.example/",
    "https://evilslack.com/",
    "https://api.slack.com/",
    "https://slack.com@evil.example/",
    "https://ada:pw@slack.com/",
    "https://slack.com:8443/",
    "https://slack.com:99999/",
    "https://slack.com./",
    "https://slack.com/#@evil.example",
    "https://slack.com\\@evil.example/",
    "https://slack.com\n.evil.example/",
    "https://slack.com /",
    "\thttps://slack.com/",
    "https://169.254.169.254/latest/",
    "http://169.254.169.254/latest/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://0.0.0.0/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://[::ffff:7f00:1/",
    "http://localhost.evil.example/",
    "https://xn--slck-5ga.com/",
    "https://slаck.com/",
)


@pytest.mark.parametrize("url", GOOD)
def test_slack_and_the_loopback_interface_are_allowed(url: str) -> None:
    assert checked_url(url, "notify.slack.base_url") == url


@pytest.mark.parametrize("url", BAD)
def test_everything_else_is_refused_by_the_name_of_the_setting(url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        checked_url(url, "notify.slack.webhook_url")
    assert str(caught.value).startswith("notify.slack.webhook_url ")
    assert "evil" not in str(caught.value)
