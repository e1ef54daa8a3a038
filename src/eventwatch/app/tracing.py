"""Spans to OpenTelemetry, where the environment names a collector and the extra is installed.

The variables are OpenTelemetry's own: OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) says where,
OTEL_SERVICE_NAME as what, OTEL_SDK_DISABLED that nothing is sent. An application that set up a provider
by itself keeps it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from eventwatch import __version__
from eventwatch.ports.tracing import Value, listen

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TIMEOUT = 2.0
"""Seconds for one batch, with all its retries."""


@lru_cache(maxsize=1)
def set_up() -> bool:
    """Once per process, at the first cycle. Whether spans are sent."""
    if not wanted(os.environ):
        return False
    try:
        listen(opener(_provider()))
    except ImportError:
        log.warning(
            "%s is set and OpenTelemetry is not installed, so no spans are sent: "
            "pip install 'eventwatch[otel]'",
            next(name for name in ENDPOINTS if os.environ.get(name)),
        )
        return False
    return True


def wanted(env: Mapping[str, str]) -> bool:
    """Whether the environment names a collector."""
    disabled = env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not disabled and any(env.get(name) for name in ENDPOINTS)


def opener(provider: Any) -> Any:
    """Opens spans of a tracer provider."""
    tracer = provider.get_tracer("eventwatch", __version__)

    @contextmanager
    def opened(name: str, attributes: dict[str, Value]) -> Iterator[object]:
        told = {f"eventwatch.{key}": value for key, value in attributes.items()}
        # An exception's text may hold what the log would hide: only that there was one is told.
        with tracer.start_as_current_span(
            f"eventwatch.{name}",
            attributes=told,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    return opened


def _provider() -> Any:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known
    named = os.environ.get("OTEL_SERVICE_NAME", "eventwatch")
    made = TracerProvider(resource=Resource.create({"service.name": named}))
    # A collector that is away must not hold up the end of a process.
    seconds = float(os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") or TIMEOUT)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=seconds)))
    trace.set_tracer_provider(made)
    return made
