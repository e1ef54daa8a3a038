"""The report as JUnit XML, so that CI systems show it: a suite per exposure, a case per finding.

What would not make the exit code 1 is a skipped case with the reason, so that CI's colour and the exit
code say the same. What passed is one case with the count.
"""

from __future__ import annotations

from xml.etree import ElementTree

from eventwatch.alerting.escape import plain
from eventwatch.cli import words
from eventwatch.model.counting import counted
from eventwatch.model.result import Result
from eventwatch.model.status import Severity, Status
from eventwatch.pipeline.report import Disposition, ExposureReport, Finding, Report


def junit_text(report: Report, *, fail_on: Severity | None) -> str:
    """The document with its XML declaration and a final line end."""
    root = ElementTree.Element("testsuites", name="eventwatch")
    for exposure in report.exposures:
        root.append(_suite(exposure, fail_on))
    last = {delivery.key: (delivery, outcome) for delivery, outcome in report.outcomes}
    undelivered = [(d, o) for d, o in last.values() if o.verdict.value != "sent"]
    if undelivered:
        suite = ElementTree.SubElement(root, "testsuite", name="deliveries")
        for delivery, outcome in undelivered:
            case = _case(suite, "eventwatch.deliveries", f"message to {delivery.channel}")
            _mark(case, "error", outcome.verdict.value, outcome.reason)
        _count(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(report: ExposureReport, fail_on: Severity | None) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        name=_text(report.name),
        timestamp=report.at.strftime("%Y-%m-%dT%H:%M:%S"),
        time=f"{report.elapsed.total_seconds():.3f}",
    )
    if report.error:
        case = _case(suite, report.name, "measured")
        _mark(case, "error", "not measured", report.error)
    for finding in report.findings:
        _finding(suite, report, finding, fail_on)
    for result in report.errors:
        case = _case(suite, f"{report.name}.{result.kind.value}", _name(result))
        _mark(case, "error", "not judged", result.summary)
    for result in report.learning:
        case = _case(suite, f"{report.name}.{result.kind.value}", _name(result))
        until = "" if result.learning_until is None else f" until {result.learning_until:%Y-%m-%d}"
        _mark(case, "skipped", f"learning{until}: {result.summary}")
    passed = report.status_counts.get(Status.PASS, 0)
    if passed or (len(suite) == 0):
        _case(suite, report.name, f"{counted(passed, 'check')} passed")
    if report.notes:
        ElementTree.SubElement(suite, "system-out").text = _text(
            "\n".join(report.notes), lines=True
        )
    _count(suite)
    return suite


def _finding(
    suite: ElementTree.Element,
    report: ExposureReport,
    finding: Finding,
    fail_on: Severity | None,
) -> None:
    result = finding.result
    case = _case(suite, f"{report.name}.{result.kind.value}", _name(result))
    if finding.disposition is not Disposition.FIRING:
        reason = f": {finding.reason}" if finding.reason else ""
        _mark(case, "skipped", f"{finding.disposition.value}{reason}: {result.summary}")
    elif fail_on is None or result.severity.rank < fail_on.rank:
        limit = "never" if fail_on is None else fail_on.value
        _mark(case, "skipped", f"{result.severity.value}, --fail-on is {limit}: {result.summary}")
    else:
        _mark(case, "failure", result.summary, _details(finding), kind=result.severity.value)


def _details(finding: Finding) -> str:
    result, route = finding.result, finding.route
    lines = [f"owner: {route.team} {route.channel}".rstrip()]
    if result.amount is not None:
        expected = words.expected(result.amount)
        lines += [f"expected: {expected}"] if expected else []
        lines.append(f"seen: {words.quantity(result.amount.observed, result.amount.unit)}")
    if result.since is not None:
        lines.append(f"since: {words.instant(result.since)}")
    lines += [f"{fact.label}: {fact.text}" for fact in result.facts]
    if finding.nearest:
        lines.append(f"nearest: {', '.join(finding.nearest)}")
    if finding.contract is not None:
        lines.append(f"contract: {finding.contract.location}")
    if result.check:
        lines.append(f"check: {result.check}")
    return "\n".join(lines)


def _name(result: Result) -> str:
    name = "the exposure" if result.event_type is None else result.event_type
    cut = "" if result.cut is None else f" [{result.cut.dimension}={result.cut.value}]"
    return f"{name}{cut} ({result.aspect})"


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_text(group), name=_text(name))


def _mark(
    case: ElementTree.Element, tag: str, message: str, text: str = "", kind: str = ""
) -> None:
    mark = ElementTree.SubElement(case, tag, message=_text(message))
    if kind:
        mark.set("type", kind)
    if text:
        mark.text = _text(text, lines=True)


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))


def _text(text: str, *, lines: bool = False) -> str:
    """Only characters that XML 1.0 knows; the others are made visible."""
    if lines:
        return "\n".join(plain(line) for line in text.split("\n"))
    return plain(text)
