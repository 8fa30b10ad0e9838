"""Which columns of a query decide what is found, and which are only shown.

A column that feeds nothing but the evidence may be broken without any case noticing, because cases do not
compare the evidence; such columns are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlglot import exp

# Columns of a hit that a case compares, and those of them that are texts to look things up by.
COMPARED = {"setl_id", "bkkp_sn", "part", "whole", "related", "grade", "funds"}
TEXTS = {"evidence", "related"}
LAST = "select"
Needed = defaultdict[str | int, set[str]]


def shown(tree: exp.Expression) -> set[int]:
    """Return the ids of the output columns that only feed the evidence, and of the texts themselves."""
    needed: Needed = defaultdict(set, {LAST: set(COMPARED)})
    selects = [(select, _home(select, tree)) for select in tree.find_all(exp.Select)]
    before = -1
    while before != sum(map(len, needed.values())):
        before = sum(map(len, needed.values()))
        for select, home in selects:
            used = set(_columns(_needed_parts(select, home, needed)))
            for above in _with_selects_around(select):
                for source in _sources(above):
                    needed[source] |= used
    unread = {
        id(item) for select, home in selects for item, read in _outputs(select, home, needed) if not read
    }
    return unread | {id(item) for item in _branches(tree)[0].expressions if item.alias_or_name in TEXTS}


def _home(select: exp.Expression, tree: exp.Expression) -> str | int | None:
    """Return how a SELECT is read: as a part by name, as a table made in place by id, in a condition None."""
    top = _top(select)
    if top is tree:
        return LAST
    if isinstance(top.parent, exp.CTE):
        return str(top.parent.alias)
    made = isinstance(top.parent, exp.Subquery) and isinstance(top.parent.parent, exp.From | exp.Join)
    return id(top) if made else None


def _top(query: exp.Expression) -> exp.Expression:
    while isinstance(query.parent, exp.SetOperation):
        query = query.parent
    return query


def _branches(query: exp.Expression) -> list[exp.Expression]:
    if isinstance(query, exp.SetOperation):
        return [*_branches(query.left), *_branches(query.right)]
    return [query]


def _outputs(
    select: exp.Expression, home: str | int | None, needed: Needed
) -> Iterator[tuple[exp.Expression, bool]]:
    """Yield a SELECT's columns and whether anything but the evidence reads them."""
    top = _top(select)
    names = [item.alias_or_name for item in _branches(top)[0].expressions]
    every = home is None or bool(select.args.get("distinct"))
    every = every or any(isinstance(n, exp.SetOperation) and n.args.get("distinct") for n in top.walk())
    for item, name in zip(select.expressions, names, strict=True):
        yield item, every or name in needed[home or ""]


def _needed_parts(select: exp.Expression, home: str | int | None, needed: Needed) -> list[exp.Expression]:
    parts = [item for item, read in _outputs(select, home, needed) if read]
    for clause, said in select.args.items():
        if clause not in ("expressions", "from_", "with_", "distinct"):
            parts += said if isinstance(said, list) else [said] if isinstance(said, exp.Expression) else []
    return parts


def _columns(parts: list[exp.Expression]) -> Iterator[str]:
    """Yield the columns named in expressions; the queries in them speak for themselves."""
    for part in parts:
        for node in part.walk(prune=lambda n: isinstance(n, exp.Select)):
            if isinstance(node, exp.Column | exp.Identifier) and not isinstance(node.parent, exp.Column):
                yield node.name


def _with_selects_around(select: exp.Expression) -> Iterator[exp.Expression]:
    node: exp.Expression | None = select
    while node is not None and not isinstance(node, exp.CTE):
        if isinstance(node, exp.Select):
            yield node
        node = node.parent


def _sources(select: exp.Expression) -> Iterator[str | int]:
    places = [select.args.get("from_"), *(select.args.get("joins") or [])]
    for place in places:
        source = place.this if place else None
        if isinstance(source, exp.Table):
            yield source.name
        elif isinstance(source, exp.Subquery):
            yield id(source.this)
