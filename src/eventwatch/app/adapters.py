"""The names of the adapters: the only file that knows them.

They are imported on first use, so that a command pays only for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import Any

_ONE_AT_A_TIME = RLock()
"""Two threads that import packages whose modules import each other can wait for each other; Python
then refuses one of the two."""

ADAPTERS = {
    "config": "eventwatch.config.load:load",
    "charts_ready": "eventwatch.charts.render:ready",
    "chart_png": "eventwatch.charts.render:png",
    "chart_svg": "eventwatch.charts.render:svg",
    "chart_inline": "eventwatch.charts.render:inline",
    "chart_dark": "eventwatch.charts.render:dark_rules",
    "chart_json": "eventwatch.charts.render:spec_text",
    "chart_lines": "eventwatch.charts.terminal:plot",
    "cross_check": "eventwatch.config.load:cross_check",
    "holidays": "eventwatch.config.holidays:holidays_between",
    "cross_warnings": "eventwatch.config.load:cross_warnings",
    "checks": "eventwatch.config.definitions:read_checks",
    "check_file": "eventwatch.config.definitions:read_check_file",
    "contracts": "eventwatch.contracts.protobuf:ProtobufSource",
    "deadline": "eventwatch.warehouse.deadline:all_within",
    "cancel": "eventwatch.warehouse.deadline:cancel_all",
    "warehouse": "eventwatch.warehouse.reader:IbisWarehouse",
    "history": "eventwatch.store.history:ParquetHistory",
    "memory": "eventwatch.store.history:MemoryHistory",
    "orphans": "eventwatch.store.orphans:sweep",
    "standings": "eventwatch.store.standings:standings",
    "backup": "eventwatch.store.backup:backup",
    "store": "eventwatch.store.sql:open_store",
    "reader": "eventwatch.store.sql:open_reader",
    "slack": "eventwatch.notifiers.slack:SlackNotifier",
    "slack-webhook": "eventwatch.notifiers.slack_webhook:SlackWebhookNotifier",
    "slack-desk": "eventwatch.notifiers.slack_desk:SlackDesk",
    "slack-client": "slack_sdk:WebClient",
    "slack-exam": "eventwatch.notifiers.slack_exam:SlackExam",
    "slack-scopes": "eventwatch.notifiers.slack_scopes:LOST",
    "slack-socket": "eventwatch.notifiers.slack_socket:SlackSocket",
    "state-file": "eventwatch.store.engine:state_file",
    "state-exam": "eventwatch.store.examine:examine",
    "stdout": "eventwatch.notifiers.stdout:StdoutNotifier",
    "webhook": "eventwatch.notifiers.webhook:WebhookNotifier",
    "apprise": "eventwatch.notifiers.apprise:AppriseNotifier",
    "ping": "eventwatch.notifiers.ping:ping",
    "web": "eventwatch.web.server:WebServer",
    "router": "eventwatch.notifiers.router:RouterNotifier",
}
"""Name → "module:attribute". A new adapter is a file and a line here."""


def adapter(name: str) -> Any:
    """The class or function behind a name of ADAPTERS."""
    module, _, attribute = ADAPTERS[name].partition(":")
    with _ONE_AT_A_TIME:
        return getattr(import_module(module), attribute)
