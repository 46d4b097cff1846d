"""Where kernels lie: those shipped with mmfuzz, by name; a user's own, in a Python, JSON or TOML file.

A Python file is run, once, here and nowhere else. A JSON or TOML file gives rows:

    name = "my-patch"
    parent = "linux-4.5"
    [rules.swapin_pte_dirty]
    bits = ["write", "reuse"]
    rows = "0111"

Character i of `rows` is the value where bits[k] is bit k of the number i. Bits that are not named do not
matter, so a file stays good when a rule gets more bits; without `bits`, they are all the rule's. A rule that
the file does not give is the parent's, and a file that gives every rule needs no parent at hand.
"""

import functools
import hashlib
import re
import runpy
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simcore.errors import KernelError, UnknownName, quoted, unknown_name
from simcore.kernel import FORMAT, Kernel, KernelBase, compile_kernel
from simcore.kernels import KERNELS
from simcore.kernels.canaries import CANARIES
from simcore.rules import RULE_BY_NAME, RULES, Rule
from simcore.truth_table import expand_rows

FILE_SUFFIXES = (".py", ".json", ".toml")


@functools.cache
def shipped_kernels() -> tuple[Kernel, ...]:
    """The kernels shipped with mmfuzz, each after its parent; without the canaries."""
    return tuple(map(compile_kernel, KERNELS))


@functools.cache
def canary_kernels() -> tuple[Kernel, ...]:
    """The kernels with a bug planted on purpose, each caught by one oracle only."""
    return tuple(map(compile_kernel, CANARIES))


def kernel_names() -> tuple[str, ...]:
    """The names of the shipped kernels; without the canaries."""
    return tuple(kernel.name for kernel in shipped_kernels())


def find_kernel(spec: str) -> Kernel:
    """The kernel of a name, of `path.py:Class`, or of a `path.py`, `path.json` or `path.toml`.

    A Python file needs no `:Class` when it has one kernel class. UnknownName when nothing has the name;
    KernelError when a file cannot be read or is wrong.
    """
    shipped = _shipped_by_name()
    if spec in shipped:
        return shipped[spec]
    path, class_name = _split_spec(spec)
    if path.suffix not in FILE_SUFFIXES:
        if _is_file(path):
            raise KernelError(f"{path}: a kernel's file ends in {', '.join(FILE_SUFFIXES)}")
        raise UnknownName("kernel", spec, kernel_names())
    if not _is_file(path):
        raise KernelError(f"{path}: there is no such file; by name there are: {', '.join(kernel_names())}")
    kernel = _kernel_of_file(path, class_name)
    if kernel.name in shipped and kernel.digest != shipped[kernel.name].digest:
        raise KernelError(f"{path}: {kernel.name} is the name of a shipped kernel with other rows; choose another name")
    return kernel


def kernel_from_json(value: object, *, source: str = "<kernel>", default_name: str | None = None) -> Kernel:
    """The kernel of what Kernel.to_json() gave, or of a part of it. KernelError says what is wrong where.

    `source` is what messages call the value; `default_name` names the kernel when the value does not.
    """
    form = _convert(value, _KernelForm, source)
    if form.format != FORMAT:
        raise KernelError(f"{source}: its format is {quoted(form.format)}; this mmfuzz reads {FORMAT!r}")
    name = form.name or default_name
    if name is None:
        raise KernelError(f"{source}: the kernel has no name; give it one in `name`")
    given = {rule: _given_table(rule, rows, source) for rule, rows in form.rules.items()}
    parent = _parent_of_rest(form, source)
    sources = dict(parent.sources if parent else ())
    tables = []
    for rule in RULES:
        if rule.name in given:
            table, sources[rule.name] = given[rule.name]
        else:
            assert parent is not None, "a rule that is not given has no parent"
            table = parent.table(rule)
        tables.append(table)
    ordered = tuple((rule.name, sources[rule.name]) for rule in RULES if sources.get(rule.name))
    try:
        return Kernel(name, form.parent, b"".join(tables), form.doc, ordered, form.successor)
    except KernelError as error:
        raise KernelError(f"{source}: {error}") from error


class _RuleForm(msgspec.Struct, forbid_unknown_fields=True):
    """A rule's table as a file gives it."""

    rows: str
    bits: list[str] | None = None
    source: str = ""


class _KernelForm(msgspec.Struct, forbid_unknown_fields=True):
    """A kernel as a file gives it. Each of `rules` is a _RuleForm, converted singly to say which is wrong."""

    format: str = FORMAT
    name: str | None = None
    parent: str | None = None
    successor: str | None = None
    doc: str = ""
    rules: dict[str, Any] = {}


_Form = TypeVar("_Form", bound=msgspec.Struct)


def _convert(value: object, form: type[_Form], source: str) -> _Form:
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        fields = ", ".join(form.__struct_fields__)
        raise KernelError(f"{source}: {error}; the fields are: {fields}") from error


def _given_table(name: str, value: object, source: str) -> tuple[bytes, str]:
    """The table and the source that a file gives for a rule."""
    rule = RULE_BY_NAME.get(name)
    if rule is None:
        raise KernelError(f"{source}: {unknown_name('rule', name, RULE_BY_NAME)}")
    place = f"{source}: rule {name}"
    form = _convert(value, _RuleForm, place)
    bits = _given_bits(form, rule, place)
    wrong = re.search("[^01]", form.rows)
    if wrong:
        raise KernelError(f"{place}: character {wrong.start() + 1} of rows is {wrong[0]!r}; it can be 0 or 1")
    if len(form.rows) != 1 << len(bits):
        over = f"over the bits {', '.join(bits)}" if bits else "over no bits"
        raise KernelError(f"{place}: rows has {len(form.rows)} characters; {over} it has {1 << len(bits)}")
    return expand_rows(rule, bits, [int(value) for value in form.rows]), form.source


def _given_bits(form: _RuleForm, rule: Rule, place: str) -> Sequence[str]:
    if form.bits is None:
        return rule.bits
    for bit in form.bits:
        if bit not in rule.bits:
            raise KernelError(f"{place}: {unknown_name('bit', bit, rule.bits)}")
        if form.bits.count(bit) > 1:
            raise KernelError(f"{place}: bit {bit} is named twice")
    return form.bits


def _parent_of_rest(form: _KernelForm, source: str) -> Kernel | None:
    """The kernel whose rules stand in for those not given; None when all are."""
    missing = [rule.name for rule in RULES if rule.name not in form.rules]
    if not missing:
        return None
    if form.parent is None:
        raise KernelError(
            f"{source}: these rules are not given: {', '.join(missing)};"
            f" give them, or name in `parent` a kernel that has them: {', '.join(kernel_names())}"
        )
    shipped = _shipped_by_name()
    if form.parent not in shipped:
        raise KernelError(f"{source}: parent: {unknown_name('kernel', form.parent, kernel_names())}")
    return shipped[form.parent]


def _kernel_of_file(path: Path, class_name: str | None) -> Kernel:
    if path.suffix == ".py":
        return compile_kernel(_pick_class(path, _run_file(path), class_name))
    return kernel_from_json(_read_value(path), source=str(path), default_name=path.stem)


def _run_file(path: Path) -> dict[str, type[KernelBase]]:
    """The kernel classes that a Python file defines, by name. KernelError with the line that failed.

    The file is run as a module that nothing else can import, and no bytecode is written beside it.
    """
    module = "mmfuzz_kernel_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    try:
        names = runpy.run_path(str(path), run_name=module)
    except (Exception, SystemExit) as error:
        raise KernelError(_describe_failed_run(path, error)) from error
    return {
        value.__name__: value
        for value in names.values()
        if isinstance(value, type) and issubclass(value, KernelBase) and value.__module__ == module
    }


def _describe_failed_run(path: Path, error: BaseException) -> str:
    """What went wrong in a user's file, at the last line of that file that was on the way."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f"{path}:{lines[-1]}" if lines else str(path)
    return f"{place}: {type(error).__name__}: {error}"


def _pick_class(path: Path, classes: dict[str, type[KernelBase]], name: str | None) -> type[KernelBase]:
    """The class asked for, or the only one there is but those whose names start with an underscore."""
    if name is not None:
        if name not in classes:
            raise KernelError(f"{path}: {unknown_name('kernel class', name, classes)}")
        return classes[name]
    public = [cls for cls in classes.values() if not cls.__name__.startswith("_")]
    if len(public) == 1:
        return public[0]
    if public:
        specs = ", ".join(f"{path}:{cls.__name__}" for cls in public)
        raise KernelError(f"{path}: it has {len(public)} kernel classes; choose one of: {specs}")
    raise KernelError(
        f"{path}: it defines no kernel; a kernel is a class derived from a shipped one or from KernelBase"
    )


def _read_value(path: Path) -> object:
    """What a JSON or TOML file says."""
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        value: object = decode(path.read_bytes())
    except OSError as error:
        raise KernelError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KernelError(f"{path}: not {path.suffix[1:].upper()}: {error}") from error
    return value


def _split_spec(spec: str) -> tuple[Path, str | None]:
    """A file and, behind the last colon, a class."""
    path, colon, class_name = spec.rpartition(":")
    if colon and path.endswith(".py"):
        return Path(path), class_name
    return Path(spec), None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise KernelError(f"{quoted(str(path))}: cannot be read: {error.strerror}") from error


def _shipped_by_name() -> dict[str, Kernel]:
    """Every kernel that can be had by its name, canaries too."""
    return {kernel.name: kernel for kernel in (*shipped_kernels(), *canary_kernels())}
