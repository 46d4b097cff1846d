"""From readings to what is told of them: compared, stored, printed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cli.conform_report import document, exit_code_of, print_file, print_report, print_verdict
from cli.conform_run import Compared, compare_all, findings_of, store
from cli.conform_show import Shown, find_class
from cli.database import open_to_write
from cli.exit_codes import ExitCode
from cli.output import Screen
from cli.versions import find_versions
from fuzzer.conform.comparison import Plan
from fuzzer.conform.known import Known
from fuzzer.conform.report import all_classes, totals


def compare(screen: Screen, plans: Sequence[Plan], spec: str | None, jobs: int, *, quiet: bool) -> list[Compared]:
    """Compare the files, and print each as it is done unless `quiet`. `spec` is the kernel as it was asked for."""
    done = []
    for each in compare_all(plans, jobs):
        done.append(replace(each, spec=spec))
        if not quiet and not screen.as_json:
            print_file(screen, each)
    return done


def show_class(screen: Screen, compared: Sequence[Compared], wanted: str) -> ExitCode:
    """Show the example of one class."""
    files = [each.file for each in compared]
    parts = [file.settled for file in files] + [file.unsettled for file in files if file.unsettled is not None]
    shown = Shown(find_class(all_classes(parts), wanted), compared)
    screen.document(shown.document({}))
    if not screen.as_json:
        shown.print(screen)
    return exit_code_of(totals(files))


def tell(
    screen: Screen,
    compared: Sequence[Compared],
    known: Sequence[Known],
    options: Mapping[str, object],
    database: str | None,
    about: Mapping[str, object] | None = None,
) -> ExitCode:
    """Store what nobody has judged yet, and print what all files say together; `about` goes into the document."""
    versions = find_versions()
    findings = findings_of(compared)
    runs: tuple[str, ...] = ()
    stored = "not stored"
    if database is not None:
        with open_to_write(database) as opened:
            runs = store(opened, compared, findings, options, versions)
            stored = f"stored as {', '.join(runs)} in {opened.shown}"
    failures = {each.key.id: finding.id for _, each, finding in findings} if runs else {}
    said = {"runs": list(runs), "options": dict(options), **(about or {})}
    screen.document(document(compared, known, failures, versions) | said)
    if not screen.as_json:
        print_report(screen, compared, known, failures)
        print_verdict(screen, compared, stored)
    return exit_code_of(totals([each.file for each in compared]))
