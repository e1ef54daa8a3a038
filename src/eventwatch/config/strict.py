"""How every section of config.yaml is checked: nothing is converted, nothing unknown is let through."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of config.yaml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)
