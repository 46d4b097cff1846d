"""Kernel classes: what people write, and how it becomes truth tables.

Each rule is a plain function in the class body, without self, that takes any of the rule's bits by their
names and returns True or False. Rules that a class does not define are those of its base class:

    class MakeEveryPteDirty(Linux40Rc7Mm1):
        '''What the patch is, who wrote it and when.'''

        def swapin_pte_dirty():
            '''do_swap_page(): pte_mkdirty(), whatever the fault.'''
            return True

Each function is called once for every value of the bits it names. From then on there is only the table, so
that no code of a user runs where traces run.
"""

import inspect
import re
from collections.abc import Iterator
from types import FunctionType
from typing import ClassVar

from simcore.errors import KernelError, quoted, unknown_name
from simcore.rules import RULE_BY_NAME, RULES, Rule
from simcore.truth_table import expand_rows, row_as_call

# What a kernel class may have besides its rules and what starts with an underscore.
CLASS_ATTRIBUTES = ("name", "successor")


class KernelBase:
    """The root of every kernel class; it has no rules itself.

    `name` is the kernel's; without it, the class's name in kebab case. `successor` names the kernel that came
    after this one. Neither is inherited. The docstring says what the kernel is and where its rules were read.
    """

    name: ClassVar[str]
    successor: ClassVar[str | None] = None


def is_kernel_name(name: str) -> bool:
    """Whether a kernel can be called that: one word that a trace and a shell leave alone."""
    return re.fullmatch(r"[A-Za-z0-9._/][A-Za-z0-9._~+:@=,/-]*", name) is not None


def bad_kernel_name(name: str) -> str:
    """The sentence about a name that is_kernel_name refuses."""
    return (
        f"{quoted(name)} cannot be a kernel's name; one is made of letters, digits and ._/+~:@=,-"
        " and does not begin with any of +~:@=,-"
    )


def class_kernel_name(cls: type[KernelBase]) -> str:
    """The name of the kernel that a class describes: its own `name`, or MakePteDirty as make-pte-dirty."""
    name = vars(cls).get("name")
    if name is None:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        name = "-".join(word for word in words.split("_") if word)
    if not isinstance(name, str) or not is_kernel_name(name):
        raise KernelError(f"class {cls.__qualname__}: {bad_kernel_name(str(name))}; set `name` in the class")
    return name


def class_doc(cls: type) -> str:
    """The class's own docstring, without its indentation; empty when it has none."""
    return inspect.cleandoc(vars(cls).get("__doc__") or "")


def class_successor(cls: type[KernelBase]) -> str | None:
    """The class's own `successor`. KernelError when it is not a kernel's name."""
    name = vars(cls).get("successor")
    if name is not None and not (isinstance(name, str) and is_kernel_name(name)):
        raise KernelError(f"class {cls.__qualname__}, successor: {bad_kernel_name(str(name))}")
    return name


def parent_class(cls: type[KernelBase]) -> type[KernelBase] | None:
    """The nearest kernel class that a class derives from."""
    bases = (base for base in cls.__mro__[1:] if issubclass(base, KernelBase))
    return next((base for base in bases if base is not KernelBase), None)


def evaluate_class(cls: type[KernelBase]) -> dict[str, bytes]:
    """The truth table of every rule, by name. KernelError names the class, the rule and the bit at fault."""
    _check_attributes(cls)
    missing = [rule.name for rule in RULES if _defining_class(cls, rule.name) is None]
    if missing:
        raise KernelError(
            f"class {cls.__qualname__} has no function for these rules: {', '.join(missing)};"
            " define them, or derive the class from a kernel that does"
        )
    return {rule.name: _evaluate(_owner(cls, rule.name), rule) for rule in RULES}


def class_sources(cls: type[KernelBase]) -> tuple[tuple[str, str], ...]:
    """For each rule, where it was read: the function's docstring, or that of the class that defines it."""
    return tuple(
        (rule.name, _function_doc(owner, rule) or class_doc(owner) or owner.__qualname__)
        for rule in RULES
        for owner in [_owner(cls, rule.name)]
    )


def _classes(cls: type) -> Iterator[type]:
    """The class and all it derives from that may have rules, the nearest first."""
    return (base for base in cls.__mro__ if base not in (KernelBase, object))


def _defining_class(cls: type, rule: str) -> type | None:
    return next((base for base in _classes(cls) if rule in vars(base)), None)


def _owner(cls: type, rule: str) -> type:
    owner = _defining_class(cls, rule)
    assert owner is not None, f"class {cls.__qualname__} was not checked for {rule}"
    return owner


def _check_attributes(cls: type) -> None:
    """KernelError for a name in the class body that is neither a rule nor an attribute of kernel classes."""
    for base in _classes(cls):
        for name, value in vars(base).items():
            if name in RULE_BY_NAME or name in CLASS_ATTRIBUTES or name.startswith("_"):
                continue
            unknown = unknown_name("rule", name, RULE_BY_NAME)
            raise KernelError(f"{_place(base, value)}: {unknown}. A name that is no rule starts with an underscore")


def _rule_function(owner: type, rule: Rule) -> FunctionType:
    value = vars(owner)[rule.name]
    function = value.__func__ if isinstance(value, staticmethod) else value
    if not isinstance(function, FunctionType):
        raise KernelError(
            f"class {owner.__qualname__}, rule {rule.name}: it is {quoted(repr(value))}, not a function;"
            f" write `def {rule.name}({', '.join(rule.bits)}): return ...`"
        )
    return function


def _function_doc(owner: type, rule: Rule) -> str:
    return inspect.cleandoc(_rule_function(owner, rule).__doc__ or "")


def _bits_looked_at(owner: type, rule: Rule, function: FunctionType) -> list[str]:
    """The function's arguments. KernelError for one that is no bit of the rule or not a plain one."""
    place = f"{_place(owner, function)}, rule {rule.name}"
    bits = []
    for argument in inspect.signature(function).parameters.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD, argument.POSITIONAL_ONLY):
            raise KernelError(f"{place}: argument {argument} is not plain; a rule takes its bits by their names")
        if argument.name not in rule.bits:
            hint = "a rule has no self; " if argument.name == "self" else ""
            raise KernelError(f"{place}: {hint}{unknown_name('bit', argument.name, rule.bits)}")
        if argument.default is not argument.empty:
            raise KernelError(f"{place}: bit {argument.name} has a default, which would never be used; drop it")
        bits.append(argument.name)
    return bits


def _evaluate(owner: type, rule: Rule) -> bytes:
    """The rule's table: the function called once for each value of the bits it looks at."""
    function = _rule_function(owner, rule)
    bits = _bits_looked_at(owner, rule, function)
    rows = []
    for row in range(1 << len(bits)):
        values = {bit: bool(row >> i & 1) for i, bit in enumerate(bits)}
        call = f"{_place(owner, function)}, {row_as_call(rule.name, values)}"
        try:
            value = function(**values)
        except Exception as error:
            raise KernelError(f"{call} raised {type(error).__name__}: {error}") from error
        if not isinstance(value, bool):
            raise KernelError(
                f"{call} returned {quoted(repr(value))}, of type {type(value).__name__}; a rule returns True or False"
            )
        rows.append(value)
    return expand_rows(rule, bits, rows)


def _place(owner: type, value: object) -> str:
    """The class and, for a function, the line it is at."""
    if not isinstance(value, FunctionType):
        return f"class {owner.__qualname__}"
    return f"{value.__code__.co_filename}:{value.__code__.co_firstlineno}: class {owner.__qualname__}"
