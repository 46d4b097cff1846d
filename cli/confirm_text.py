"""Verdicts of real kernels as people read them, and as --json gives them."""

from collections.abc import Iterator

from cli.confirm_run import Done
from cli.output import plural
from cli.trace_text import trace_document
from cli.verdicts import violation_document
from workers.targets.confirmation import Confirmation, Plan, Tried

STYLES: dict[str, str] = {
    "confirmed": "bold red",
    "not confirmed": "bold green",
    "cannot be judged": "bold yellow",
    "cannot be driven": "bold yellow",
    "unknown": "bold yellow",
}
FORM_WORDS: dict[str, str] = {"as it is": "the trace as it is", "drained": "with a drain before every op"}


def describe(done: Done, plan: Plan) -> Iterator[str]:
    """The verdict, then what was tried, a line each."""
    verdict = done.confirmation
    yield f"  {done.swap:<7} {verdict.verdict}: {verdict.reason}"
    for each in verdict.tried:
        yield f"          {_tried_words(each)}, in {plural(plan.guests, 'fresh guest')}"


def _tried_words(tried: Tried) -> str:
    """`the trace as it is: lost-store in 30 of 30 (89% to 100%)`."""
    way = f"{tried.seen.key} in {tried.rate}" if tried.seen else f"failed in {tried.rate}"
    others = [f"{key} in {count}" for key, count in tried.ways.items() if tried.seen and key != tried.seen.key]
    unknown = [f"{tried.unknown} unknown ({tried.why_unknown})"] if tried.unknown else []
    return f"{FORM_WORDS[tried.form]}: {', '.join([way, *others, *unknown])}"


def done_document(done: Done, stored: str | None) -> dict[str, object]:
    """One verdict; `stored` is its id in the database."""
    verdict = done.confirmation
    return {
        "target": done.image.name,
        "release": done.image.release,
        "kernel_sha256": done.image.sha256,
        "swap": done.swap,
        "accelerator": done.accelerator or None,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "same": verdict.same,
        "form": verdict.failed_form,
        "failed": verdict.rate.failed,
        "runs": verdict.rate.runs,
        "interval": _interval(verdict),
        "unknown": verdict.unknown,
        "tried": [_tried_document(each) for each in verdict.tried],
        "seconds": round(done.seconds, 3),
        "id": stored,
    }


def _interval(of: Confirmation | Tried) -> list[float]:
    return [round(end, 4) for end in of.rate.interval]


def _tried_document(tried: Tried) -> dict[str, object]:
    seen = tried.seen
    return {
        "form": tried.form,
        "trace": trace_document(tried.trace),
        "failed": tried.rate.failed,
        "runs": tried.rate.runs,
        "interval": _interval(tried),
        "unknown": tried.unknown,
        "why_unknown": tried.why_unknown or None,
        "ways": dict(tried.ways),
        "violation": violation_document(seen.violation) if seen and seen.violation else None,
        "trouble": {
            "kind": seen.trouble.kind,
            "line": seen.trouble.line,
            "place": seen.trouble.place,
            "console": seen.trouble.excerpt,
        }
        if seen and seen.trouble
        else None,
    }
