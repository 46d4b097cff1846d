"""The C types of a core function's local variables, where Cython does not find them by itself.

Cython gives a variable the type of what is assigned to it, except that it takes the value of a comparison
for a Python object. Here a variable is a C bint when its first value is a boolean expression, which is also
how a type checker decides it, and has the type of its annotation when it is declared with one.
"""

import ast
from collections.abc import Iterator, Mapping


def local_types(function: ast.FunctionDef, c_types: Mapping[str, str], predicates: set[str]) -> dict[str, str]:
    """C types by variable, in the order of first assignment.

    `c_types` are the C types of annotations by their text, `predicates` the functions that return bool.
    """
    parameters = {argument.arg: argument.annotation for argument in function.args.args}
    booleans = {name for name, note in parameters.items() if isinstance(note, ast.Name) and note.id == "bool"}
    found: dict[str, str] = {}
    seen = set(parameters)
    for statement in _statements(function.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                c_type = c_types.get(ast.unparse(annotation).strip("'\""))
                if c_type:
                    found[name] = c_type
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in seen:
                if _is_boolean(value, booleans, predicates):
                    found[name] = "bint"
            case _:
                continue
        seen.add(name)
        if found.get(name) == "bint":
            booleans.add(name)
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        for block in ("body", "orelse"):
            yield from _statements(getattr(statement, block, []))


def _is_boolean(value: ast.expr, booleans: set[str], predicates: set[str]) -> bool:
    match value:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=True | False):
            return True
        case ast.BoolOp(values=values):
            return all(_is_boolean(operand, booleans, predicates) for operand in values)
        case ast.IfExp(body=first, orelse=second):
            return all(_is_boolean(branch, booleans, predicates) for branch in (first, second))
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor(), right=right):
            return all(_is_boolean(operand, booleans, predicates) for operand in (left, right))
        case ast.Name(id=name):
            return name in booleans
        case ast.Call(func=ast.Name(id=name)):
            return name in predicates
        case _:
            return False
