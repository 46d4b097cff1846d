"""What the compiled engines are made of; see simcore/unity.py."""

from simcore.unity import CORE, Unity

# Names inside the package.
MODULES: tuple[str, ...] = ("engines.draw", "engines.swarm", "engines.loop")

ENGINES = Unity(
    package="fuzzer",
    name="_engines",
    tables=("engine_constants", "engine_types"),
    modules=MODULES,
    uses=(CORE,),
)
