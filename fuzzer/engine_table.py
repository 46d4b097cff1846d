"""The engines: how sequences are chosen, by name."""

import importlib
from dataclasses import dataclass
from typing import Any

from fuzzer.errors import UnknownEngine
from simcore.core import is_compiled
from simcore.errors import unknown_name


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One engine: its name, what it does, and what it derives from a unit's seed.

    `swarm` is the switch that the engines' loop in the core takes.
    """

    name: str
    doc: str
    derives: tuple[str, ...]
    swarm: bool


ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec(
        "random",
        "Ops drawn by their weights in the unit's world; a page is often the one used just before.",
        ("the length of each sequence", "every op"),
        swarm=False,
    ),
    EngineSpec(
        "swarm",
        "As random, but every 32 sequences draw features to leave out, weights of ops, and a smaller world.",
        (
            "the features left out",
            "the ops' weights",
            "the world's sizes",
            "the length of each sequence",
            "every op",
        ),
        swarm=True,
    ),
)
ENGINE_BY_NAME: dict[str, EngineSpec] = {engine.name: engine for engine in ENGINES}


def find_engine(name: str) -> EngineSpec:
    """The engine of a name. UnknownEngine names those there are."""
    engine = ENGINE_BY_NAME.get(name)
    if engine is None:
        raise UnknownEngine(unknown_name("engine", name, ENGINE_BY_NAME))
    return engine


def new_engine(machine: Any, compiled: bool | None = None) -> Any:
    """An engine on a machine; `compiled` is what the machine was made with."""
    if is_compiled() if compiled is None else compiled:
        return importlib.import_module("fuzzer._engines").Engine(machine)
    return importlib.import_module("fuzzer.engines.loop").Engine(machine)
