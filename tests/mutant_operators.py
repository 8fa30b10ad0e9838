"""Small ways to break a SELECT: each operator turns one node of its syntax tree into another.

An operator is a function from a node to the changes it can suffer; `changes` asks all of them. Nothing
here knows about rules or cases. A change is a whole new node, so that it can be put in and taken out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp


@dataclass(frozen=True)
class Change:
    """One way to break a node: what kind, what it says before and after, and the node to put in."""

    operator: str
    before: str
    after: str
    node: exp.Expression


Changes = Iterator[Change]
NEIGHBOUR = {
    exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE, exp.GTE: exp.GT, exp.EQ: exp.NEQ, exp.NEQ: exp.EQ,
    exp.Add: exp.Sub, exp.Sub: exp.Add,
    exp.Min: exp.Max, exp.Max: exp.Min, exp.Least: exp.Greatest, exp.Greatest: exp.Least, exp.Sum: exp.Max,
    exp.Lag: exp.Lead, exp.Lead: exp.Lag, exp.FirstValue: exp.LastValue, exp.LastValue: exp.FirstValue,
    exp.LogicalOr: exp.LogicalAnd, exp.LogicalAnd: exp.LogicalOr,
}  # fmt: skip
COMPARISON = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.Between, exp.In, exp.Like)
OTHER_DATES = {
    "d": ("begndate", "enddate", "sd"), "sd": ("begndate", "enddate"), "begndate": ("enddate",),
    "enddate": ("begndate",), "fee_ocur_time": ("setl_time", "d"), "setl_time": ("sd", "fee_ocur_time"),
    "first_day": ("last_day",), "last_day": ("first_day",),
}  # fmt: skip
# Where a number is a quantity and not a constant that is shown, and where a text is no code.
COUNTED = (
    exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Between,
    exp.In, exp.Least, exp.Greatest, exp.Coalesce, exp.Left, exp.Right, exp.Substring, exp.Round, exp.Paren,
    exp.If, exp.Lag, exp.Lead,
)  # fmt: skip
PLAIN_TEXT = (
    exp.Interval, exp.Trim, exp.Replace, exp.DateDiff, exp.TimestampTrunc, exp.DateTrunc, exp.GroupConcat,
)  # fmt: skip
SEARCHED = (exp.Like, exp.StrPosition, exp.Contains, exp.StartsWith)
MONEY = ("yuan", "ratio")


def changes(node: exp.Expression, units: dict[str, str]) -> Changes:
    """Yield every way to break a node; `units` tells the units of the parameters."""
    if isinstance(node, exp.Placeholder):
        yield from _parameter(node, units)
    for operator in OPERATORS:
        yield from operator(node)


def text(node: exp.Expression) -> str:
    """Return a node's SQL."""
    return node.sql("duckdb", comments=False)


def _change(operator: str, old: exp.Expression, new: exp.Expression) -> Change:
    return Change(operator, text(old), text(new), new)


def _part(operator: str, old: exp.Expression, new: exp.Expression, part: exp.Expression | str) -> Change:
    """A change of a large node that is told by the part that is dropped."""
    return Change(operator, part if isinstance(part, str) else text(part), "–", new)


def _neighbour(node: exp.Expression) -> Changes:
    other = NEIGHBOUR.get(type(node))
    if other:
        arguments = node.copy().args
        if other is exp.Max and not isinstance(node, exp.Min):
            arguments = {"this": arguments["this"]}
        name = "compare" if isinstance(node, exp.Binary) and not _sum(node) else "swap"
        yield _change(name, node, other(**arguments))


def _sum(node: exp.Expression) -> bool:
    return isinstance(node, exp.Add | exp.Sub)


def _between(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Between):
        it, low, high = (node.args[key] for key in ("this", "low", "high"))
        for above, below in ((exp.GT, exp.LTE), (exp.GTE, exp.LT)):
            both = exp.And(
                this=above(this=it.copy(), expression=low.copy()),
                expression=below(this=it.copy(), expression=high.copy()),
            )
            yield _change("between", node, exp.Paren(this=both))


def _number(node: exp.Expression) -> Changes:
    inside = isinstance(node, exp.Literal) and not node.is_string and isinstance(node.parent, COUNTED)
    shown = isinstance(node.parent, exp.If) and node.arg_key == "true"
    if inside and not shown:
        value = Decimal(node.name)
        for step in (1, -1) if value >= 1 else (1,):
            yield _change("number", node, exp.Literal.number(str(value + step)))


def _interval(node: exp.Expression) -> Changes:
    said = node.this if isinstance(node, exp.Interval) else None
    if isinstance(said, exp.Literal) and not isinstance(node.parent, exp.WindowSpec):
        for step in (1, -1):
            yield _change("number", node, _longer(node, step))


def _longer(interval: exp.Expression, step: int) -> exp.Expression:
    new = interval.copy()
    if isinstance(new.this, exp.Literal):
        new.set("this", exp.Literal.string(str(int(new.this.name) + step)))
    else:
        more = exp.Add(this=exp.Paren(this=new.this), expression=exp.Literal.number(str(step)))
        new.set("this", exp.Paren(this=more))
    return new


def _parameter(node: exp.Expression, units: dict[str, str]) -> Changes:
    unit = units[node.name]
    if unit == "code":
        yield _change("parameter", node, exp.Literal.string("00"))
        return
    step = "0.01" if unit in MONEY else "1"
    for kind in (exp.Add, exp.Sub):
        new = kind(this=node.copy(), expression=exp.Literal.number(step))
        yield _change("parameter", node, exp.Paren(this=new))


def _code(node: exp.Expression) -> Changes:
    if not isinstance(node, exp.Literal) or not node.is_string or not node.name:
        return
    joined = node.find_ancestor(exp.DPipe, exp.Select)
    shown = isinstance(joined, exp.DPipe) and not node.find_ancestor(*SEARCHED)
    if not shown and not isinstance(node.parent, (*PLAIN_TEXT, exp.Cast)):
        yield _change("code", node, exp.Literal.string("00"))


def _date(node: exp.Expression) -> Changes:
    said = node.this if isinstance(node, exp.Cast) else None
    if isinstance(said, exp.Literal) and said.is_string and node.is_type("date"):
        for step in (1, -1):
            other = dt.date.fromisoformat(said.name) + dt.timedelta(step)
            new = node.copy()
            new.set("this", exp.Literal.string(str(other)))
            yield _change("date", node, new)


def _boolean(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Boolean):
        yield _change("swap", node, exp.Boolean(this=not node.this))


def _condition(node: exp.Expression) -> Changes:
    """A conjunct or disjunct that counts for nothing."""
    parent = node.parent
    if isinstance(node, exp.And | exp.Or) and isinstance(parent, exp.And | exp.Or):
        return
    alone = isinstance(parent, exp.Where | exp.Having) and not isinstance(node, exp.And)
    if isinstance(parent, exp.And) or alone:
        yield _part("drop", node, exp.true(), node)
    elif isinstance(parent, exp.Or):
        yield _part("drop", node, exp.false(), node)


def _negation(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Not):
        yield _change("negate", node, exp.Paren(this=node.this.copy()))
    elif isinstance(node, exp.Exists | exp.In | exp.Is | exp.Like) and not isinstance(node.parent, exp.Not):
        yield _change("negate", node, exp.Paren(this=exp.Not(this=node.copy())))


def _select(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Select):
        for clause, operator in (("qualify", "drop"), ("distinct", "drop")):
            said = node.args.get(clause)
            if said and not isinstance(said.this, exp.And):
                new = node.copy()
                new.set(clause, None)
                yield _part(operator, node, new, said)


def _join(node: exp.Expression) -> Changes:
    if not isinstance(node, exp.Join):
        return
    yield from _listed(node, "using", "key")
    side, kind = node.side, node.kind
    other = {"LEFT": ("", "INNER"), "FULL": ("LEFT", "")}.get(side)
    if not side:
        other = {"": ("LEFT", ""), "INNER": ("LEFT", ""), "SEMI": ("", "ANTI"), "ANTI": ("", "SEMI")}.get(
            kind
        )
    needed = other and other[0] == "LEFT" and _needed(node)
    if other and not needed and (node.args.get("on") or node.args.get("using")):
        new = node.copy()
        new.set("side", other[0] or None)
        new.set("kind", other[1] or None)
        what = " ".join(filter(None, (side, kind, text(node.this))))
        yield Change("join", what, " ".join(filter(None, other)), new)


def _needed(join: exp.Expression) -> bool:
    """Whether a row without a partner is dropped anyway: another condition compares the partner's columns."""
    select = join.parent
    where = select.args.get("where")
    conditions = [where.this] if where else []
    later = select.args["joins"][select.args["joins"].index(join) + 1 :]
    conditions += [j.args["on"] for j in later if not j.side and j.args.get("on")]
    told = [part for condition in conditions for part in _conjuncts(condition)]
    return any(
        column.table == join.alias_or_name
        for part in told
        if isinstance(part, COMPARISON) and not part.find(exp.Is, exp.Coalesce, exp.Case)
        for column in part.find_all(exp.Column)
    )


def _conjuncts(condition: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.this)
        yield from _conjuncts(condition.expression)
    else:
        yield condition


def _listed(node: exp.Expression, key: str, operator: str, least: int = 2) -> Changes:
    """A list of keys with each of them left out."""
    items = node.args.get(key) or []
    for place, item in enumerate(items) if len(items) >= least else ():
        new = node.copy()
        new.set(key, new.args[key][:place] + new.args[key][place + 1 :])
        yield _part(operator, node, new, item)


def _keys(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Group):
        yield from _listed(node, "expressions", "group key")
    elif isinstance(node, exp.Window):
        yield from _listed(node, "partition_by", "partition key", 1)
    elif isinstance(node, exp.In) and isinstance(node.this, exp.Tuple) and node.args.get("query"):
        for place, item in enumerate(node.this.expressions):
            new = node.copy()
            new.set("this", exp.Tuple(expressions=_without(new.this.expressions, place)))
            chosen = new.args["query"].this
            chosen.set("expressions", _without(chosen.expressions, place))
            yield _part("tuple key", node, new, item)


def _without(items: list[exp.Expression], place: int) -> list[exp.Expression]:
    return items[:place] + items[place + 1 :]


def _order(node: exp.Expression) -> Changes:
    """The order of a window: each key turned round, the last one dropped."""
    if not isinstance(node, exp.Order) or not isinstance(node.parent, exp.Window):
        return
    for place, item in enumerate(node.expressions):
        new = node.copy()
        turned = new.expressions[place]
        turned.set("desc", not turned.args.get("desc"))
        yield Change("order", text(item), text(turned), new)
    if len(node.expressions) > 1:
        new = node.copy()
        new.set("expressions", new.expressions[:-1])
        yield _part("order", node, new, node.expressions[-1])


def _frame(node: exp.Expression) -> Changes:
    if not isinstance(node, exp.WindowSpec):
        return
    for bound in ("start", "end"):
        # A frame without an end ends at the current row.
        said, side = node.args.get(bound) or "CURRENT ROW", node.args.get(f"{bound}_side")
        for value, where in _bounds(said, side or ("PRECEDING" if bound == "start" else "FOLLOWING")):
            new = node.copy()
            new.set(bound, value)
            new.set(f"{bound}_side", where)
            yield Change("frame", text(node), text(new), new)


def _bounds(said: exp.Expression | str, side: str) -> Iterator[tuple[exp.Expression | str, str | None]]:
    """Yield what may stand in place of a frame's bound."""
    if isinstance(said, exp.Interval):
        yield from ((_longer(said, step), side) for step in (1, -1))
    elif isinstance(said, exp.Expression):
        value = int(said.name)
        yield exp.Literal.number(str(value + 1)), side
        yield (exp.Literal.number(str(value - 1)), side) if value > 1 else ("CURRENT ROW", None)
    elif said == "UNBOUNDED":
        yield "CURRENT ROW", None
    elif said == "CURRENT ROW":
        yield "UNBOUNDED", side


def _column(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Column):
        for other in OTHER_DATES.get(node.name, ()):
            new: exp.Expression = node.copy()
            new.set("this", exp.to_identifier(other))
            shown = text(new)
            if isinstance(node.parent, exp.Select):
                new = exp.alias_(new, node.name)
            yield Change("date column", text(node), shown, new)


def _case(node: exp.Expression) -> Changes:
    """The results of a CASE, each exchanged with the next one."""
    if isinstance(node, exp.Case):
        for place, branch in enumerate(node.args["ifs"]):
            new = node.copy()
            mine = new.args["ifs"][place]
            last = place + 1 == len(node.args["ifs"])
            holder, key = (new, "default") if last else (new.args["ifs"][place + 1], "true")
            other = holder.args.get(key) or exp.null()
            holder.set(key, mine.args["true"].copy())
            mine.set("true", other.copy())
            yield Change("case", text(branch.args["true"]), text(other), new)


def _function(node: exp.Expression) -> Changes:
    if isinstance(node, exp.Coalesce) and node.expressions:
        new = node.copy()
        new.set("expressions", new.expressions[:-1])
        yield _change("default", node, new if new.expressions else exp.Paren(this=new.this))
    elif isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        yield _change("distinct", node, exp.Count(this=node.this.expressions[0].copy()))
    elif isinstance(node, exp.Floor | exp.Ceil | exp.Abs):
        yield _change("bare", node, exp.Paren(this=node.this.copy()))


OPERATORS: tuple[Callable[[exp.Expression], Changes], ...] = (
    _neighbour, _between, _number, _interval, _code, _date, _boolean, _condition, _negation, _select, _join,
    _keys, _order, _frame, _column, _case, _function,
)  # fmt: skip
