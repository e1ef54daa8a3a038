from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from eventwatch.config.load import Loaded, load
from eventwatch.config.schema import config_schema
from eventwatch.config.show import shown_text
from eventwatch.model.settings import DigestSettings, IncidentSettings, Settings
from eventwatch.model.status import Severity

from .conftest import GOOD, Try, Write

Load = Callable[..., Loaded]
WINDOW = "maintenance:\n  - {{name: w, reason: r, {}}}\n"


def settings(loaded: Load, text: str = GOOD, **env: str) -> Settings:
    return loaded(text, env=env).settings


def test_without_a_word_about_incidents_critical_ones_escalate_after_half_an_hour(
    loaded: Load,
) -> None:
    notify = settings(loaded).notify
    assert notify.incidents == IncidentSettings(
        escalate_after={Severity.CRITICAL: timedelta(minutes=30)}
    )
    assert notify.digest == DigestSettings()
    assert (notify.webhook, notify.apprise) == (None, None)
    assert settings(loaded).maintenance == ()


def test_every_setting_about_messages_is_read(loaded: Load) -> None:
    text = (
        GOOD
        + """\
  slack:
    token: "${BOT}"
    app_token: "${APP}"
    button_groups: [S0123ABCD, S0123ABCE, S0123ABCD]
    charts: false
  incidents:
    resolve_after: 1h
    reopen_within: 0
    flush: 1m
    refresh: 5m
    escalate_after: {critical: null, warning: 2h}
  digest: {at: "07:30", time_zone: Europe/Berlin, broken: true}
  webhook: {url: "https://hooks.example.com/in", secret: "${KEY}", timeout: 3s}
  apprise:
    urls: {Data: ["${TEAMS}", "mailtos://u:p@example.com"], "*": "${TEAMS}"}
"""
    )
    env = {
        "BOT": "xoxb-12345678",
        "APP": "xapp-1-A01-canary",
        "KEY": "k" * 16,
        "TEAMS": "msteams://a/b/c",
    }
    notify = settings(loaded, text, **env).notify
    assert notify.slack is not None
    assert notify.slack.app_token is not None
    assert notify.slack.app_token.reveal() == env["APP"]
    assert notify.slack.button_groups == ("S0123ABCD", "S0123ABCE")
    assert notify.slack.charts is False
    assert notify.incidents == IncidentSettings(
        timedelta(hours=1),
        timedelta(0),
        timedelta(minutes=1),
        timedelta(minutes=5),
        {Severity.WARNING: timedelta(hours=2)},
    )
    assert notify.digest == DigestSettings(time(7, 30), ZoneInfo("Europe/Berlin"), True)
    assert notify.webhook is not None
    assert notify.webhook.secret is not None
    assert (notify.webhook.url.reveal(), notify.webhook.secret.reveal()) == (
        "https://hooks.example.com/in",
        env["KEY"],
    )
    assert notify.webhook.timeout == timedelta(seconds=3)
    assert notify.apprise is not None
    assert {team: [u.reveal() for u in urls] for team, urls in notify.apprise.urls.items()} == {
        "data": ["msteams://a/b/c", "mailtos://u:p@example.com"],
        "*": ["msteams://a/b/c"],
    }


def test_a_window_of_one_time_is_read_on_the_clock_of_its_zone(loaded: Load) -> None:
    times = "from: 2026-03-29T01:00, to: 2026-03-29T04:00, time_zone: Europe/Berlin"
    (window,) = settings(loaded, GOOD + WINDOW.format(times)).maintenance
    # The clocks go forward that night, so it is two hours and not three.
    assert window.starts_at == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert window.ends_at == datetime(2026, 3, 29, 2, tzinfo=UTC)
    assert (window.weekdays, window.from_time) == ((), None)


def test_an_instant_that_names_its_zone_keeps_it(loaded: Load) -> None:
    times = "from: 2026-03-01, to: 2026-03-01T10:00-05:00, time_zone: Europe/Berlin"
    (window,) = settings(loaded, GOOD + WINDOW.format(times)).maintenance
    assert window.starts_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert window.ends_at == datetime(2026, 3, 1, 15, tzinfo=UTC)


def test_a_weekly_window_without_weekdays_is_daily(loaded: Load) -> None:
    filters = (
        "exposure: events, event_type: 'user_*', kind: volume, team: data, dimension: platform"
    )
    times = "from_time: 23:00, to_time: 01:30"
    (daily,) = settings(loaded, GOOD + WINDOW.format(f"{times}, {filters}, value: ios")).maintenance
    assert daily.weekdays == tuple(range(7))
    assert (daily.from_time, daily.to_time) == (time(23), time(1, 30))
    assert (daily.exposure, daily.event_type, daily.kind) == ("events", "user_*", "volume")
    assert (daily.team, daily.dimension, daily.value) == ("data", "platform", "ios")
    (some,) = settings(
        loaded, GOOD + WINDOW.format(f"weekdays: [Sun, saturday], {times}")
    ).maintenance
    assert some.weekdays == (5, 6)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("from: 2026-03-01T02:00", "to is missing beside from"),
        ("to_time: 02:00", "from_time is missing beside to_time"),
        ("weekdays: [mon]", "says no time"),
        ("event_type: a", "says no time"),
        ("from: 2026-03-01, to: 2026-03-01", "to: must be later than from"),
        ("from: 2026-03-01, to: 2026-02-01", "to: must be later than from"),
        ("from: 2026-01-01, to: 2026-12-01", "more than 90 days"),
        ("from: soon, to: 2026-12-01", "must be an instant like"),
        ("from: 99999-01-01, to: 2026-12-01", "must be an instant like"),
        ("from_time: 02:00, to_time: 02:00", "the window is empty"),
        ("from_time: 24:00, to_time: 02:00", "midnight is 00:00"),
        ("from_time: 2, to_time: 02:00", "put it in quotes"),
        ("from: 2026-03-01, to: 2026-03-02, to_time: 01:00", "not both"),
        ("from_time: 01:00, to_time: 02:00, weekdays: [mon, fun]", "must be one of mon, tue"),
        ("from_time: 01:00, to_time: 02:00, weekdays: [mon, monday]", "stands twice"),
        ("from_time: 01:00, to_time: 02:00, value: ios", "needs dimension beside it"),
        ("from_time: 01:00, to_time: 02:00, evnt_type: a", "did you mean event_type?"),
        ("from_time: 01:00, to_time: 02:00, from_: a", "there is no setting 'from_'"),
        ("from_time: 01:00, to_time: 02:00, time_zone: CEST5", "is not a time zone"),
    ],
)
def test_a_window_that_means_nothing_is_refused(faults_of: Try, written: str, said: str) -> None:
    (fault,) = faults_of(GOOD + WINDOW.format(written))
    assert said in fault
    assert fault.startswith("config.yaml:17: maintenance[0]")


def test_windows_are_a_list(faults_of: Try) -> None:
    assert faults_of(GOOD + "maintenance: {name: x}\n") == [
        "config.yaml:16: maintenance: must be a list of windows, each beginning with - name"
    ]
    (fault,) = faults_of(GOOD + "maintenance:\n  - night\n")
    assert "must be a mapping of keys to values, not text" in fault


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("slack: {token: xapp-1-canary}", "belongs in app_token"),
        ("slack: {token: xoxb-1234567, app_token: xoxb-canary}", "begins with xapp-"),
        (
            "slack: {webhook_url: 'https://hooks.slack.com/canary', app_token: xapp-1-A0123}",
            "need token",
        ),
        ("slack: {token: xoxb-1234567, button_groups: [canary]}", "the id of a Slack user group"),
        ("slack: {token: xoxb-1234567, button_groups: S0123ABCD}", "must be a list"),
        ("slack: {token: xoxb-1234567, charts: 1}", "must be true or false"),
        ("slack: {token: xoxb-1234567, button_group: []}", "did you mean button_groups?"),
        ("incidents: {flush: 0}", "must be between 1 s and 6 h"),
        ("incidents: {flush: 5}", "write a span with its unit"),
        ("incidents: {escalate_after: {critical: 1s}}", "must be between 1 min and 30 d"),
        ("incidents: {escalate_after: {fatal: 1h}}", "there is no setting 'fatal'"),
        ("incidents: {escalate_after: 1h}", "must be a mapping"),
        ("digest: {at: '9:00'}", "must be a time of day like"),
        ("digest: {at: 9}", "put it in quotes"),
        ("digest: {broken: yes}", "yes, no, on and off are text"),
        ("webhook: {secret: kkkkkkkkkkkkkkkkkk}", "url is missing"),
        ("webhook: {url: 'https://a.example', secret: canary}", "16 to 400 characters"),
        ("webhook: {url: 'https://a.example', timeout: 1h}", "must be between"),
        ("apprise: {}", "urls is missing"),
        ("apprise: {urls: {}}", "must not be empty"),
        ("apprise: {urls: {data: []}}", "must not be empty"),
        ("apprise: {urls: {data: canary}}", "must be an Apprise URL"),
        ("apprise: {urls: {data: ['https://canary.example']}}", "write json(s)://"),
        ("apprise: {urls: {data: ['json://canary.example']}}", "in the clear"),
        ("apprise: {urls: {data: ['xmls://10.0.0.7/canary']}}", "a private network"),
        ("apprise: {urls: {data: ['ntfy://a'], Data: ['ntfy://b']}}", "same team as 'data'"),
    ],
)
def test_settings_about_messages_that_are_wrong_are_told_with_their_place(
    faults_of: Try, section: str, said: str
) -> None:
    (fault,) = faults_of(GOOD + f"  {section}\n")
    assert said in fault
    assert fault.startswith("config.yaml:16: notify.")
    assert "canary" not in fault


def test_duplicate_keys_are_refused(faults_of: Try) -> None:
    (fault,) = faults_of(GOOD + "  incidents: {flush: 1m, flush: 2m}\n")
    assert "'flush' stands twice" in fault


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/in",
        "http://10.0.0.1/in",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/in",
        "https://[fd00:ec2::254]/in",
        "https://[::ffff:10.0.0.1]/in",
        "https://10.1.2.3/in",
        "https://192.168.0.1.:443/in",
        "https://100.64.0.1/in",
        "https://0.0.0.0/in",
        "https://224.0.0.1/in",
        "https://0x7f.1/in",
        "https://2130706433/in",
        "https://017700000001/in",
        "https://metadata.google.internal./computeMetadata",
        "https://hooks.example.com@10.0.0.1/in",
        "https://user:pw@example.com/in",
        "https://example.com/in#x",
        "https://example.com:99999/in",
        "https:///in",
        "https://ex ample.com/in",
        "ftp://example.com/in",
        "hooks.example.com/in",
    ],
)
def test_a_webhook_goes_to_no_private_address_and_never_in_the_clear(
    faults_of: Try, url: str
) -> None:
    (fault,) = faults_of(GOOD + "  webhook: {url: '" + url + "'}\n")
    assert "notify.webhook.url: " in fault
    assert url not in fault


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in?a=b",
        "https://8.8.8.8/in",
        "http://127.0.0.1:8080/in",
        "http://localhost/in",
        "http://[::1]:9/in",
    ],
)
def test_a_webhook_may_be_anywhere_else_and_on_this_machine(faults_of: Try, url: str) -> None:
    assert faults_of(GOOD + "  webhook: {url: '" + url + "'}\n") == []


def test_secrets_about_messages_are_warned_of_masked_and_in_no_repr(loaded: Load) -> None:
    text = GOOD + (
        "  slack: {token: xoxb-canary, app_token: xapp-canary, button_groups: []}\n"
        "  webhook: {url: 'https://a.example/canary', secret: canarycanarycanary}\n"
        "  apprise: {urls: {data: ['ntfys://canary'], '*': 'ntfys://canary'}}\n"
    )
    found = loaded(text)
    assert {w.key for w in found.warnings} == {
        "notify.slack.token",
        "notify.slack.app_token",
        "notify.webhook.secret",
        "notify.apprise.urls.data[0]",
        "notify.apprise.urls.*",
    }
    assert "canary" not in str(found.warnings) + repr(found.settings) + shown_text(found)


def test_interpolated_ones_are_shown_as_they_are_written(loaded: Load) -> None:
    text = GOOD + (
        '  slack: {token: "${T}", app_token: "${A}"}\n'
        '  webhook: {url: "${U}", secret: "${K}"}\n'
        '  apprise: {urls: {data: ["${V}"]}}\n'
    )
    env = {
        "T": "xoxb-canary",
        "A": "xapp-canary",
        "U": "https://canary.example",
        "K": "canarycanarycanary",
        "V": "ntfys://canary",
    }
    found = loaded(text, env=env)
    shown = shown_text(found)
    assert "canary" not in shown
    assert all("${" + name + "}" in shown for name in env)
    assert found.warnings == ()


def test_what_is_shown_is_a_config_that_means_the_same(loaded: Load, write: Write) -> None:
    text = GOOD + (
        "  reminder: {critical: null, info: 2d}\n"
        "  incidents: {flush: 1m, escalate_after: {critical: null, info: 1d}}\n"
        "  digest: {at: '23:59', time_zone: Asia/Tokyo, broken: true}\n"
        "maintenance:\n"
        "  - {name: a, reason: r, from: '2026-03-01T02:00', to: '2026-03-01T03:00', team: 'd*'}\n"
        "  - {name: b, reason: r, weekdays: [sun], from_time: '22:00', to_time: '02:00',\n"
        "     time_zone: Asia/Tokyo, dimension: platform, value: ios}\n"
    )
    first = loaded(text)
    second = load(write(shown_text(first)), {})
    assert second.settings.notify == first.settings.notify
    assert second.settings.maintenance == first.settings.maintenance


def test_buttons_without_a_way_to_hear_them_are_warned_of(loaded: Load) -> None:
    text = GOOD + '  slack: {token: "${T}", button_groups: [S0123ABCD]}\n'
    (warning,) = loaded(text, env={"T": "xoxb-12345678"}).warnings
    assert "without app_token messages have no buttons" in warning.message


def test_the_schema_knows_the_new_settings() -> None:
    schema = config_schema()
    assert schema["properties"]["maintenance"]["type"] == "array"
    definitions = schema["$defs"]
    assert "from" in definitions["MaintenanceSection"]["properties"]
    assert definitions["EscalateSection"]["properties"]["critical"]["default"] == "30m"
    assert definitions["SlackSection"]["properties"]["app_token"]["anyOf"][0]["writeOnly"]
