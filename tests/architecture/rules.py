"""The rules of shape and of names, each a function from a module to its faults."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
ABBREVIATIONS = frozenset(
    {
        "cb",
        "cfg",
        "conn",
        "ctx",
        "db",
        "evt",
        "fn",
        "idx",
        "mgr",
        "msg",
        "pos",
        "repo",
        "req",
        "resp",
        "seq",
        "tmp",
        "val",
    }
)


def long_modules(module: Module) -> Iterator[str]:
    """Tell where a module has more lines than a reader keeps in mind."""
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield module.fault(module.tree, f"{lines} lines, at most {MODULE_LINES_MAX}: split it")


def long_functions(module: Module) -> Iterator[str]:
    """Tell which functions, counted from `def` to their end, are too long to be one thought."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                what = f"{node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"
                yield module.fault(node, f"{what}: give its steps names")


def abbreviations(module: Module) -> Iterator[str]:
    """Tell where a name is given that a newcomer has to decode."""
    for node in ast.walk(module.tree):
        for name in _names_given(node):
            short = ABBREVIATIONS.intersection(name.lower().split("_"))
            if short:
                yield module.fault(node, f"{name}: write {', '.join(sorted(short))} out")


def _names_given(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.arg(arg=name) | ast.alias(asname=str(name)):
            return (name,)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return (name,)
        case _:
            return ()
