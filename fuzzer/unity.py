"""What the compiled engines are made of; see simcore/unity.py."""

from simcore.unity import CORE, Unity

# Names inside the package, such as "engines.random". While there are none, no extension is built.
MODULES: tuple[str, ...] = ()

ENGINES = Unity(package="fuzzer", name="_engines", tables=(), modules=MODULES, uses=(CORE,))
