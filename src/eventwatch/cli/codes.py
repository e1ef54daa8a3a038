"""Exit codes. Those of an audit are decided by ``Report.exit_code``; here are their names and words."""

from __future__ import annotations

FINE = 0
WRONG_DATA = 1
WRONG_SETTINGS = 2
UNMEASURED = 3
OWNED = 4
DIED = 70
INTERRUPTED = 130
NOBODY_READS = 141

MEANINGS = {
    FINE: "nothing wrong",
    WRONG_DATA: "something is wrong with the data",
    WRONG_SETTINGS: "the configuration, the contracts or the command line are wrong",
    UNMEASURED: "something could not be measured, stored or delivered",
    INTERRUPTED: "interrupted",
}
EXIT_CODES = (
    "Exit codes: 0 nothing wrong; 1 something is wrong with the data; 2 the configuration, the "
    "contracts or the command line are wrong; 3 something could not be measured, stored or delivered. "
    "1 wins over 3."
)
