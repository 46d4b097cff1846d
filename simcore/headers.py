"""Write the Cython header (.pxd) beside each core module, from the module's own annotations.

The sources stay plain Python; what C needs to know is derived from them:

- a module of constants gives `cdef enum` members, a class with `Annotated` attributes gives a `cdef struct`;
- a top-level function whose annotations all have a C type gives a C function without the GIL. One with any
  other annotation, or with a decorator, stays a Python function and is left out;
- what stands in X.extra.pxd beside X.py (extern functions, cdef classes) is put at the head of X.pxd.

The headers are committed, so that a reader and a build have them; `make headers` writes them again and a test
fails when one is stale. Knows nothing of what the modules do.
"""

import ast
import re
import runpy
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from simcore.errors import SimcoreError
from simcore.local_types import local_types
from simcore.unity import Unity, module_path


class HeaderError(SimcoreError):
    """A core module says something that has no place in a header; the message names file, line and remedy."""


# Annotations with a C type of their own. u64 and its like are aliases of int, and known by their names.
C_TYPES = {"int": "int", "bool": "bint", "None": "void"}
C_TYPES |= {f"i{bits}": f"int{bits}_t" for bits in (8, 16, 32, 64)}
C_TYPES |= {f"u{bits}": f"uint{bits}_t" for bits in (8, 16, 32, 64)}

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_STDINT = re.compile(r"\bu?int(?:8|16|32|64)_t\b")


def headers(unity: Unity, root: Path) -> dict[Path, str]:
    """The text of every header of a unity, by the file it belongs in. Reads the modules; writes nothing."""
    texts = {}
    for names, header in ((unity.tables, _table_header), (unity.modules, _module_header)):
        for name in names:
            path = root / module_path(unity.package, name, ".pxd")
            texts[path] = header(root, module_path(unity.package, name))
    return texts


def update(files: dict[Path, str]) -> list[Path]:
    """Write the files that differ from what lies on disk, and return them."""
    changed = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in changed:
        path.write_text(files[path], "utf-8")
    return changed


def struct_name(class_name: str) -> str:
    """The C name of a struct: MmState is mm_state."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()


def _table_header(root: Path, path: str) -> str:
    """Header of a module of constants, structs or both."""
    tree = _parse(root / path)
    body = [*_enum(tree, root / path), *_extern_constants(tree, root / path)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            body += _struct(node, path)
    used = {name for line in body for name in re.findall(r"\w+", line)}
    cimports = _cimports((module, name) for name, module in _imports(tree).items() if name in used)
    return _header_text(root / path, cimports, body)


def _module_header(root: Path, path: str) -> str:
    """Header of a compiled module: its C functions, and what it needs from other packages."""
    tree = _parse(root / path)
    package = path.split("/", 1)[0]
    cimports = {
        (module, c_name)
        for name, module in _imports(tree).items()
        if (c_name := _exported(root, module, name)) and (c_name != name or module.split(".")[0] != package)
    }
    body = list(_c_functions(root, tree, path))
    if any(line.startswith("@cython") for line in body):
        cimports.add(("", "cython"))
    return _header_text(root / path, _cimports(cimports), body)


def _header_text(source: Path, cimports: list[str], body: list[str]) -> str:
    extra = _extra(source)
    stdint = sorted(set(_STDINT.findall("\n".join([extra, *body]))))
    if stdint:
        cimports = [f"from libc.stdint cimport {', '.join(stdint)}", *cimports]
    origin = f"{source.name} and {source.stem}.extra.pxd" if extra else source.name
    sections = [[f"# Written from {origin} by `make headers`."], cimports, [extra] if extra else [], body]
    return "\n\n".join("\n".join(section).strip() for section in sections if section) + "\n"


def _extra(source: Path) -> str:
    """What stands beside a module for the head of its header, or nothing."""
    path = source.with_suffix(".extra.pxd")
    return path.read_text("utf-8").strip() if path.exists() else ""


def _cimports(names: Iterator[tuple[str, str]] | set[tuple[str, str]]) -> list[str]:
    modules: dict[str, list[str]] = {}
    for module, name in sorted(names):
        modules.setdefault(module, []).append(name)
    return [f"{f'from {module} ' if module else ''}cimport {', '.join(names)}" for module, names in modules.items()]


def _c_functions(root: Path, tree: ast.Module, path: str) -> Iterator[str]:
    """The declarations of the module's C functions, with the types of locals that Cython would not find."""
    c_types = _annotation_types(root, tree)
    predicates = _predicates(tree) | {
        name
        for name, module in _imports(tree).items()
        if (source := root / (module.replace(".", "/") + ".py")).exists() and name in _predicates(_parse(source))
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (declaration := _c_function(node, path, c_types)):
            types = local_types(node, c_types, predicates)
            if types:
                yield f"@cython.locals({', '.join(f'{name}={c_type}' for name, c_type in types.items())})"
            yield declaration


def _annotation_types(root: Path, tree: ast.Module) -> dict[str, str]:
    """The C types of the annotations that the module can use: the built-in ones and those it imports."""
    imported = {n: c_type for n, module in _imports(tree).items() if (c_type := _declared_type(root, module, n))}
    return imported | C_TYPES


def _predicates(tree: ast.Module) -> set[str]:
    """The names of the functions that return bool."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "bool"
    }


def _c_function(node: ast.FunctionDef, path: str, c_types: dict[str, str]) -> str | None:
    """The C declaration of a function, or None when it stays a Python function."""
    arguments = node.args.args
    types = [_c_type(annotation, c_types) for annotation in (*(a.annotation for a in arguments), node.returns)]
    if node.decorator_list or None in types or _takes_more_than_arguments(node.args):
        return None
    if node.args.defaults:
        raise HeaderError(
            f"{path}:{node.lineno}: {node.name} has default values, which a C function cannot have; pass the"
            " values, or decorate it with @cython.ccall to keep it a Python function"
        )
    declared = ", ".join(_declare(str(t), a.arg) for t, a in zip(types, arguments, strict=False))
    return f"cdef {_declare(str(types[-1]), node.name)}({declared}) noexcept nogil"


def _takes_more_than_arguments(args: ast.arguments) -> bool:
    return bool(args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg)


def _declare(c_type: str, name: str) -> str:
    return f"{c_type}{name}" if c_type.endswith("*") else f"{c_type} {name}"


def _c_type(annotation: ast.expr | None, c_types: dict[str, str]) -> str | None:
    match annotation:
        case ast.Name(id=name) | ast.Constant(value=str(name)):
            return c_types.get(name)
        case ast.Constant(value=None):
            return "void"
        case _:
            declared = _annotated(annotation)
            return declared[0] if declared and len(declared) == 1 else None


def _annotated(annotation: ast.expr | None) -> list[str] | None:
    """The C type and the array lengths of `Annotated[Python type, C type, length, ...]`, or None."""
    match annotation:
        case ast.Subscript(
            value=ast.Name(id="Annotated"),
            slice=ast.Tuple(elts=[_, ast.Constant(value=str(c_type)), *lengths]),
        ):
            return [c_type, *(ast.unparse(length) for length in lengths)]
        case _:
            return None


def _struct(node: ast.ClassDef, path: str) -> list[str]:
    """The declaration of a class as a C struct, or nothing when none of its attributes is `Annotated`."""
    members = _members(node)
    if not members:
        return []
    if members and members[-1].endswith("]"):
        raise HeaderError(
            f"{path}:{node.lineno}: the last attribute of {node.name} is an array, which the sanitizers take"
            " for one of open length and do not check; put a plain number last"
        )
    return ["", f"cdef struct {struct_name(node.name)}:", *(f"    {member}" for member in members)]


def _members(node: ast.ClassDef) -> list[str]:
    """The C declarations of a class's `Annotated` attributes, in their order."""
    members = []
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                declared = _annotated(annotation)
                if declared:
                    c_type, *lengths = declared
                    members.append(_declare(c_type, name) + "".join(f"[{length}]" for length in lengths))
    return members


def _enum(tree: ast.Module, path: Path) -> list[str]:
    """The constants that fit a C int, as members of an enum; _extern_constants() has the others."""
    members = [f"    {name} = {value}" for name, value, c_type in _constants(tree, path) if not c_type]
    return ["cdef enum:", *members] if members else []


def _extern_constants(tree: ast.Module, path: Path) -> list[str]:
    """The constants that need a wider type than an enum has, as macros with a cast."""
    wide = [(name, value, c_type) for name, value, c_type in _constants(tree, path) if c_type]
    if not wide:
        return []
    macros = [f"    #define {name} (({c_type}){value}{'u' if value >= 0 else ''}ll)" for name, value, c_type in wide]
    return [
        "",
        "cdef extern from *:",
        '    """',
        *macros,
        '    """',
        *(f"    const {c} {n}" for n, _, c in wide),
    ]


def _constants(tree: ast.Module, path: Path) -> Iterator[tuple[str, int, str]]:
    """Name, value and C type ("" for what fits an enum) of every integer in capitals that is assigned."""
    names = list(_constant_names(tree))
    values = runpy.run_path(str(path)) if names else {}
    for name, annotation in names:
        value = values[name]
        if type(value) is not int:
            continue
        c_type = C_TYPES.get(annotation, "int")
        if c_type == "int" and not -(2**31) <= value < 2**31:
            c_type = "int64_t" if value < 2**63 else "uint64_t"
        yield name, value, "" if c_type == "int" else c_type


def _constant_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if _CONSTANT.fullmatch(name):
                yield name, "int"
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if _CONSTANT.fullmatch(name):
                yield name, ast.unparse(annotation).strip("'\"")


def _exported(root: Path, module: str, name: str) -> str | None:
    """The C name under which a module of ours exports a Python name, or None for what C does not know."""
    path = root / (module.replace(".", "/") + ".py")
    if not path.exists():
        return None
    tree = _parse(path)
    for node in tree.body:
        match node:
            case ast.ClassDef(name=found) if found == name and _members(node):
                return struct_name(name)
            case ast.ClassDef(name=found) if found == name:
                return name if f"cdef class {name}" in _extra(path) else None
            case ast.FunctionDef(name=found) if found == name:
                return name if _c_function(node, str(path), _annotation_types(root, tree)) else None
    return name if any(name == constant for constant, _ in _constant_names(tree)) else None


def _declared_type(root: Path, module: str, name: str) -> str | None:
    """The C type that an imported annotation stands for: a struct pointer or an `Annotated` alias."""
    path = root / (module.replace(".", "/") + ".py")
    for node in _parse(path).body if path.exists() else ():
        match node:
            case ast.ClassDef(name=found) if found == name and _members(node):
                return f"{struct_name(name)} *"
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                declared = _annotated(value)
                return declared[0] if declared else None
    return None


def _imports(tree: ast.Module) -> dict[str, str]:
    """Imported names and their modules, at the top level and below `if not cython.compiled:`."""
    statements = list(tree.body)
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "not cython.compiled":
            statements += node.body
    return {
        alias.name: node.module
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _parse(path: Path) -> ast.Module:
    return _parse_text(path.read_text("utf-8"), str(path))


@lru_cache(maxsize=256)
def _parse_text(text: str, path: str) -> ast.Module:
    # Modules import each other widely; each text is parsed once.
    return ast.parse(text, path)
