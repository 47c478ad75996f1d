"""`--allowed-skips FILE`: list at the end which tests skipped and why, and fail where the reason is not in the file."""

import re
from collections import Counter
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--allowed-skips", metavar="FILE", help="patterns of reasons, one a line; any other skip fails")


def pytest_configure(config):
    file = config.getoption("--allowed-skips")
    if file and not hasattr(config, "workerinput"):  # with pytest-xdist, the process that starts the workers
        config.pluginmanager.register(Skips(Path(file)))


class Skips:
    def __init__(self, file):
        lines = file.read_text(encoding="utf-8").splitlines()
        self.allowed = [line for line in lines if line and not line.startswith("#")]
        self.reasons = Counter()

    def pytest_collectreport(self, report):
        self.pytest_runtest_logreport(report)

    def pytest_runtest_logreport(self, report):
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reasons[report.longrepr[2].removeprefix("Skipped: ")] += 1

    def unexpected(self):
        return [r for r in self.reasons if not any(re.fullmatch(pattern, r) for pattern in self.allowed)]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.unexpected() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("skipped tests")
        unexpected = self.unexpected()
        for reason, count in sorted(self.reasons.items()):
            mark = "UNEXPECTED" if reason in unexpected else "expected"
            terminalreporter.line(f"{mark:10} {count:4} x {reason}", red=reason in unexpected)
