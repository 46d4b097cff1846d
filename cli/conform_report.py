"""What is told of files of readings compared with the simulator."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from cli.conform_run import Compared
from cli.exit_codes import ExitCode
from cli.output import Screen, plural
from cli.verdicts import VERDICT_STYLES
from fuzzer.conform.agreement import Agreement, OpAgreement, add_up, overall
from fuzzer.conform.classes import page_name
from fuzzer.conform.comparison import DisagreementClass, FileComparison, Part
from fuzzer.conform.known import Known
from fuzzer.conform.report import Totals, all_classes, not_seen, totals

# Classes that a terminal has room for; --json has all.
CLASSES_SHOWN = 20
OBSERVABLE_HEADINGS = ("observable", "compared", "same", "differ", "same %", "% of all pages")
OP_HEADINGS = ("op", "runs", "pages", "pages same %", "not the same in, %")
FILE_HEADINGS = ("file", "kernel", "traces", "ops", "agree", "explained", "differ", "agree %")
# Observables of ops, not of pages.
PER_OP = ("errno", "value")
# Observables that an op's line has room for.
WORST_SHOWN = 4


def percent(share: float) -> str:
    """A share as a percentage; 100 only where it is all, and 0 only where it is nothing."""
    hundredths = int(share * 10_000 + 1e-9)
    if hundredths == 10_000 and share < 1:
        hundredths = 9_999
    return f"{hundredths / 100:.2f}"


def exit_code_of(sums: Totals) -> ExitCode:
    """FAILURE_FOUND for a disagreement that is not known, INCONCLUSIVE where nothing was compared."""
    if sums.unexplained:
        return ExitCode.FAILURE_FOUND
    return ExitCode.PASS if sums.traces else ExitCode.INCONCLUSIVE


def print_file(screen: Screen, compared: Compared) -> None:
    """Print one file: what it is, the whole traces, the observables."""
    file = compared.file
    part = file.settled
    screen.say(Text.assemble((file.path.name, "bold"), f" on {file.kernel}"))
    screen.say(
        f"  Linux {file.source.version}, swap on {file.source.swap}, batches of {file.batch};"
        f" {plural(part.traces, 'trace')}, {plural(part.ops, 'op')}, {compared.seconds:.1f} s"
    )
    screen.say(f"  {_whole_traces(part)}")
    if file.left_out:
        screen.say(
            f"  left out: {plural(file.left_out, 'reading')} whose two runs differ; --all takes them", style="dim"
        )
    if file.unsettled is not None:
        screen.say(f"  readings whose two runs differ, either run counts: {_whole_traces(file.unsettled)}")
    figures = overall(part.by_op)
    screen.say()
    _print_observables(screen, [each for each in figures if each.trusted])
    _print_untrusted(screen, [each for each in figures if not each.trusted])
    screen.say()


def print_report(
    screen: Screen, compared: Sequence[Compared], known: Sequence[Known], failures: Mapping[str, str]
) -> None:
    """Print what all files say together; `failures` has the ids of stored failures, by class."""
    files = [each.file for each in compared]
    _print_ops(screen, add_up(file.settled.by_op for file in files))
    if len(files) > 1:
        _print_files(screen, files)
    classes = all_classes(file.settled for file in files)
    _print_classes(screen, [each for each in classes if each.first], compared, failures)
    _print_not_seen(screen, not_seen(files, known))


def print_verdict(screen: Screen, compared: Sequence[Compared], stored: str) -> None:
    """Print the last line."""
    sums = totals([each.file for each in compared])
    code = exit_code_of(sums)
    verdict = {ExitCode.PASS: "PASS", ExitCode.FAILURE_FOUND: "FAIL"}.get(code, "UNKNOWN")
    explained = f", {sums.explained:,} differ in a known way" if sums.explained else ""
    screen.say(
        Text.assemble(
            (verdict, VERDICT_STYLES[verdict]),
            f": {sums.agreed:,} of {plural(sums.traces, 'trace')} agree in all that is trusted, from first op to last"
            f" ({percent(sums.agreed / max(sums.traces, 1))} %){explained},"
            f" {sums.unexplained:,} differ in a way that is not known; {stored}",
        )
    )


def show_command(each: DisagreementClass, compared: Sequence[Compared]) -> str:
    """The command that shows a class's example."""
    of = next(c for c in compared if c.plan.path == each.example.path)
    options = f" --kernel {shlex.quote(of.spec)}" if of.spec else ""
    options += f" --swap {of.plan.swap}" if of.plan.swap else ""
    options += f" --batch {of.plan.batch}" if of.plan.batch else ""
    options += "" if each.example.reading.det else " --all"
    return f"mmfuzz conform {shlex.quote(str(of.plan.path))}{options} --show {each.key.id}"


def document(
    compared: Sequence[Compared], known: Sequence[Known], failures: Mapping[str, str], versions: Mapping[str, str]
) -> dict[str, object]:
    """All of it as --json gives it."""
    files = [each.file for each in compared]
    sums = totals(files)
    classes = all_classes(file.settled for file in files)
    unsettled = all_classes(file.unsettled for file in files if file.unsettled is not None)
    return {
        "traces": sums.traces,
        "ops": sums.ops,
        "agreed": sums.agreed,
        "explained": sums.explained,
        "unexplained": sums.unexplained,
        "agree_share": sums.agreed / sums.traces if sums.traces else None,
        "files": [_file_document(each) for each in compared],
        "by_op": [_op_document(each) for each in add_up(file.settled.by_op for file in files)],
        "classes": [class_document(each, compared, failures) for each in classes],
        "unsettled_classes": [class_document(each, compared, failures) for each in unsettled],
        "known_not_seen": [_known_document(each) for each in not_seen(files, known)],
        "exit_code": int(exit_code_of(sums)),
        "versions": dict(versions),
    }


def class_document(
    each: DisagreementClass, compared: Sequence[Compared], failures: Mapping[str, str]
) -> dict[str, object]:
    """A class as --json gives it."""
    found, reading = each.example.found, each.example.reading
    return {
        "id": each.key.id,
        "observable": each.key.observable,
        "op": each.key.op,
        "page": each.key.page,
        "before": each.key.before,
        "change": each.key.change,
        "version": each.version,
        "first": each.first,
        "explained": each.explained,
        "traces": each.traces,
        "total": each.total,
        "known": None if each.known is None else _known_document(each.known),
        "example": {
            "file": str(each.example.path),
            "line": each.example.line,
            "reading": reading.id,
            "at": found.at,
            "ops": len(reading.ops),
            "process": found.process,
            "page": found.page,
            "simulated": found.simulated,
            "real": found.real,
        },
        "failure": failures.get(each.key.id),
        "show": show_command(each, compared),
    }


def _whole_traces(part: Part) -> str:
    if not part.traces:
        return "nothing to compare"
    explained = f", {part.explained:,} first differ in a known way" if part.explained else ""
    return (
        f"whole traces: {part.agreed:,} of {part.traces:,} agree ({percent(part.agreed / part.traces)} %){explained},"
        f" {part.unexplained:,} differ"
    )


def _print_observables(screen: Screen, figures: Iterable[Agreement]) -> None:
    rows = [
        (
            f"  {each.observable}",
            f"{each.compared:,}",
            f"{each.agreed:,}",
            f"{each.differing:,}" if each.differing else "-",
            percent(each.share),
            "" if each.observable in PER_OP else percent(each.share_of_places),
        )
        for each in figures
        if each.compared
    ]
    screen.table(("  observable", *OBSERVABLE_HEADINGS[1:]), rows, right=OBSERVABLE_HEADINGS[1:])


def _print_untrusted(screen: Screen, figures: Iterable[Agreement]) -> None:
    told = [f"{each.observable} {percent(each.share)}" for each in figures if each.compared]
    if told:
        screen.say(f"  not trusted, in %: {', '.join(told)}", style="dim")


def _print_ops(screen: Screen, ops: Iterable[OpAgreement]) -> None:
    rows = [
        (
            each.op,
            f"{each.runs:,}" if each.runs else "-",
            f"{each.pages:,}" if each.pages else "-",
            percent(each.agreeing_pages / each.pages) if each.pages else "-",
            _worst(each),
        )
        for each in ops
        if each.pages or _worst(each)
    ]
    screen.say("after each op, all files together: pages that are the same in all that is trusted", style="bold")
    screen.table(OP_HEADINGS, rows, right=OP_HEADINGS[1:4])
    screen.say()


def _worst(op: OpAgreement) -> str:
    """The trusted observables that are not always the same, the worst first."""
    worst = sorted((each for each in op.observables if each.trusted and each.differing), key=lambda each: each.share)
    told = [f"{each.observable} {percent(each.share)}" for each in worst[:WORST_SHOWN]]
    more = [f"{len(worst) - WORST_SHOWN} more"] if len(worst) > WORST_SHOWN else []
    return ", ".join(told + more)


def _print_files(screen: Screen, files: Iterable[FileComparison]) -> None:
    rows = [
        (
            file.path.name,
            file.kernel,
            f"{file.settled.traces:,}",
            f"{file.settled.ops:,}",
            f"{file.settled.agreed:,}",
            f"{file.settled.explained:,}" if file.settled.explained else "-",
            f"{file.settled.unexplained:,}" if file.settled.unexplained else "-",
            percent(file.settled.agreed / file.settled.traces) if file.settled.traces else "-",
        )
        for file in files
    ]
    screen.say("whole traces", style="bold")
    screen.table(FILE_HEADINGS, rows, right=FILE_HEADINGS[2:])
    screen.say()


def _print_classes(
    screen: Screen, classes: Sequence[DisagreementClass], compared: Sequence[Compared], failures: Mapping[str, str]
) -> None:
    if not classes:
        screen.say("no disagreement in anything that is trusted")
        screen.say()
        return
    screen.say(
        f"{plural(len(classes), 'class', 'classes')} of first disagreements, the most frequent first", style="bold"
    )
    for each in classes[:CLASSES_SHOWN]:
        _print_class(screen, each, compared, failures)
    if len(classes) > CLASSES_SHOWN:
        screen.say(f"  and {len(classes) - CLASSES_SHOWN:,} more, which --json lists", style="dim")
    screen.say()


def _print_class(
    screen: Screen, each: DisagreementClass, compared: Sequence[Compared], failures: Mapping[str, str]
) -> None:
    found, reading = each.example.found, each.example.reading
    key = each.key
    after = f"after {key.op}" if found.at < len(reading.ops) else "at the end"
    place = f"op {found.at + 1} of {len(reading.ops)}" if found.at < len(reading.ops) else "at the end"
    what = (f"{key.observable} {after}", "red" if each.first > each.explained else "")
    kernel = (f"  Linux {each.version}", "dim")
    screen.say(Text.assemble(f"  {each.first:>6,}  ", (key.id, "bold"), "  ", what, f": {key.change}", kernel))
    screen.say(f"          {key.page}, before: {key.before}")
    if each.known is not None:
        some = f" in {each.explained:,} of {each.first:,}" if each.explained < each.first else ""
        screen.say(f"          known{some}, {each.known.fault}: {each.known.reason}", style="yellow")
    where = page_name(found.process, found.page)
    seen = f"seen {plural(each.total, 'time')} in {plural(each.traces, 'trace')}"
    screen.say(f"          {seen}; trace {reading.id} of {each.example.path.name}, {place}, {where}", style="dim")
    if key.id in failures:
        screen.say(f"          stored as {failures[key.id]}", style="dim")
    screen.say(f"          {show_command(each, compared)}", style="dim")


def _print_not_seen(screen: Screen, known: Sequence[Known]) -> None:
    if known:
        told = ", ".join(f"{'/'.join(each.observables)} after {'/'.join(each.ops)}" for each in known)
        screen.say(f"known differences that were not seen: {told}", style="dim")
        screen.say()


def _known_document(known: Known) -> dict[str, object]:
    return {
        "kernels": list(known.kernels),
        "observables": list(known.observables),
        "ops": list(known.ops),
        "page": known.page,
        "before": known.before,
        "change": known.change,
        "readings": None if known.readings is None else list(known.readings),
        "fault": known.fault,
        "reason": known.reason,
    }


def _file_document(compared: Compared) -> dict[str, object]:
    file = compared.file
    return {
        "file": str(file.path),
        "set": file.source.set,
        "version": file.source.version,
        "swap": file.source.swap,
        "kernel": file.kernel,
        "kernel_digest": compared.plan.kernel.digest,
        "batch": file.batch,
        "seconds": round(compared.seconds, 3),
        "left_out": file.left_out,
        "rows_covered": sum(file.rows),
        **_part_document(file.settled),
        "unsettled": None if file.unsettled is None else _part_document(file.unsettled),
    }


def _part_document(part: Part) -> dict[str, object]:
    return {
        "traces": part.traces,
        "ops": part.ops,
        "agreed": part.agreed,
        "explained": part.explained,
        "unexplained": part.unexplained,
        "agree_share": part.agreed / part.traces if part.traces else None,
        "observables": [_agreement_document(each) for each in overall(part.by_op)],
        "by_op": [_op_document(each) for each in part.by_op],
    }


def _op_document(op: OpAgreement) -> dict[str, object]:
    return {
        "op": op.op,
        "runs": op.runs,
        "pages": op.pages,
        "agreeing_pages": op.agreeing_pages,
        "observables": [_agreement_document(each) for each in op.observables],
    }


def _agreement_document(each: Agreement) -> dict[str, object]:
    return {
        "observable": each.observable,
        "trusted": each.trusted,
        "compared": each.compared,
        "agreed": each.agreed,
        "share": each.share,
        "places": each.places,
        "share_of_places": each.share_of_places,
    }
