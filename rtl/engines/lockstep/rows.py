"""A rhythm for fewer banks than PEs: the PEs are rows of as many as there are banks, read for one by one.

A group is `rows` by `banks` outputs, PE p in row p div banks. Its steps are read for row after row, a cycle
each; or only the first is, and from then on activations are passed on; or one word serves all. Outputs whose
rows lie a stride apart form columns as wide as the stride: they are worked off from tile to tile down a
column of as many outputs as there are banks, then in the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.lockstep.controller import Beat, Sequenced
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.components import Wire, bits_for, component, fit, named, register
from rtl.parts.sizes import Amounts

KINDS = ("shares_words", "passes_words", "passes_rows")
"""Fields that say what a stage does."""


@dataclass(frozen=True, kw_only=True, repr=False)
class RowSizes(LockstepSizes):
    """What some stage does: `shares_words` reads one word for all PEs, `passes_words` passes each on to the
    PE before, `passes_rows` to the row before."""

    shares_words: bool
    passes_words: bool
    passes_rows: bool

    @property
    def rows(self) -> int:
        """Rows of PEs."""
        return self.pes // self.banks

    @property
    def passes(self) -> bool:
        """Whether some stage passes words on."""
        return self.passes_words or self.passes_rows

    @property
    def reads_rows(self) -> bool:
        """Whether some row is read for after another in a tap."""
        return self.rows > 1 or self.passes

    @property
    def group_fields(self) -> tuple[tuple[str, int], ...]:
        pair = self.address.bits
        rows = (("rows_less_one", bits_for(self.rows)),) if self.rows > 1 else ()
        columns = (("columns", pair), ("tiles_less_one", bits_for(self.most_groups)))
        edge = pair if self.passes_rows else self.address.bank_bits + 1
        return (
            ("groups_less_one", bits_for(self.most_groups)),
            *rows,
            *(columns if self.passes_rows else ()),
            ("edge", edge),
        )

    @property
    def rhythm_amounts(self) -> Amounts:
        decoded = 2 * self.rows * bits_for(self.rows) if self.rows > 1 else 0
        counted = bits_for(self.rows) if self.rows > 1 else 0
        if self.passes_rows:
            counted += self.address.row_bits + bits_for(self.most_groups)
            decoded += 3 * self.address.row_bits + bits_for(self.most_groups)
        gates = {"rhythm_pes": self.pes, "rhythm_decoded_bits": decoded, "rhythm_counted_bits": counted}
        return Amounts("controller", 1, "lockstep.controller", gates, {"rhythm_bits": self.pes + counted})

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        kinds = tuple((kind, 1) for kind in KINDS if getattr(self, kind))
        return *super().own_fields, *kinds


@dataclass(frozen=True)
class RowBeat(Beat):
    """A cycle of rows: words are read for the row whose turn it is (`loading`), and whether that is only so
    in a group's first tap (`passed`), after which PEs take what others took before (`passing`). `lanes`: the
    words that are read; `single`: but one, for all (`None` where no stage does that). `tops`: the last row
    that is read for. `column_ends`: with this group's last cycle its column does, and `next_column` begins
    (`None` where no stage has columns), as `last_of_column` says in all of the group's cycles."""

    loading: Wire
    passed: Wire
    passing: Wire
    lanes: Sequence[Wire]
    single: Wire | None
    tops: Sequence[Wire]
    last_of_column: Wire
    column_ends: Wire | None
    next_column: Wire | None


@dataclass(frozen=True)
class _Tile:
    """The outputs of a group: those of a whole row, and of the `edge`, the last row that has some, which is
    the last of the column."""

    last: Wire
    whole: Sequence[Wire]
    edge: Sequence[Wire]
    column_ends: Wire | None
    next_column: Wire | None


def rows_in_turn(sizes: LockstepSizes, field: Mapping[str, Wire], sequenced: Sequenced) -> RowBeat:
    """Describes the rhythm."""
    assert isinstance(sizes, RowSizes)
    with component("controller"):
        low, rows = pyrtl.Const(0, 1), sizes.rows
        shares, words, by_row = (field[kind] if getattr(sizes, kind) else low for kind in KINDS)
        passed, bias = named(words | by_row, "passed"), low if sequenced.bias is None else sequenced.bias
        loading = named(~bias & ~shares & (~passed | sequenced.first_tap), "loading")
        tile = _tile(sizes, field, sequenced)
        last_row = [field["rows_less_one"] == m for m in range(rows)] if rows > 1 else [pyrtl.Const(1, 1)]
        tops = [named(top, f"top_{m}") for m, top in enumerate(_tops(tile, last_row))]
        edges = [tile.last & at for at in last_row]
        wholes = [~tile.last | pyrtl.rtl_any(low, *last_row[m + 1 :]) for m in range(rows)]
        turn, first, last = _turns(sequenced.running, loading, tops)
        valid, takes = [], []
        for m in range(rows):
            read = pyrtl.rtl_any(low, *tops[m:])
            for whole, edge in zip(tile.whole, tile.edge, strict=True):
                valid.append((wholes[m] & whole) | (edges[m] & edge))
                heard = pyrtl.select(passed & ~bias, read & whole, valid[-1])
                takes.append(sequenced.running & heard & (~loading | turn[m]))
        partial = ~passed & pyrtl.rtl_any(low, *(at & edge for at, edge in zip(turn, edges, strict=True)))
        single = named(shares | (words & ~loading), "single")
        lanes = [
            named(pyrtl.select(partial, edge, whole) & ~single, f"lane_{t}")
            for t, (whole, edge) in enumerate(zip(tile.whole[1:], tile.edge[1:], strict=True), 1)
        ]
        return RowBeat(
            first=first,
            last=last,
            valid=valid,
            takes=takes,
            loading=loading,
            passed=passed,
            passing=named(passed & ~loading & ~bias, "passing"),
            lanes=[pyrtl.Const(1, 1), *lanes],
            single=single if sizes.banks > 1 and (sizes.shares_words or sizes.passes_words) else None,
            tops=tops,
            last_of_column=tile.last,
            column_ends=tile.column_ends,
            next_column=tile.next_column,
        )


def _tile(sizes: RowSizes, field: Mapping[str, Wire], sequenced: Sequenced) -> _Tile:
    """The outputs of the present group. Widths of columns and edges are (row, bank) pairs, so that a column
    of as many outputs as there are banks is a row of them."""
    bank_bits, banks = sizes.address.bank_bits, range(sizes.banks)
    edge_row, edge_bank = field["edge"][bank_bits:], field["edge"][:bank_bits] if bank_bits else None

    def below(bank: Wire | None, lane: int) -> Wire:
        return pyrtl.Const(0, 1) if bank is None else bank > lane

    if not sizes.passes_rows:
        high = pyrtl.Const(1, 1)
        edge = [(edge_row != 0) | below(edge_bank, b) for b in banks]
        return _Tile(sequenced.last_group, [high] * sizes.banks, edge, None, None)
    columns = field["columns"]
    column = register(sizes.address.row_bits, "column", reset=True)
    tile = register(len(field["tiles_less_one"]), "tile", reset=True)
    last = tile == field["tiles_less_one"]
    column_ends = named(sequenced.ends & last, "column_ends")
    tile.next <<= pyrtl.select(
        sequenced.stage_start | column_ends, pyrtl.Const(0, len(tile)), fit(tile + sequenced.ends, len(tile))
    )
    following = fit(column + 1, len(column))
    column.next <<= pyrtl.select(
        sequenced.stage_start, pyrtl.Const(0, len(column)), pyrtl.select(column_ends, following, column)
    )
    inside, width = column != sizes.address.row(columns), sizes.address.bank(columns)
    before, at_edge = column < edge_row, column == edge_row
    next_column = pyrtl.concat(following, pyrtl.Const(0, bank_bits)) if bank_bits else following
    next_column = named(next_column, "next_column")
    return _Tile(
        named(last, "last_tile"),
        [inside | below(width, b) for b in banks],
        [before | (at_edge & below(edge_bank, b)) for b in banks],
        column_ends,
        next_column,
    )


def _tops(tile: _Tile, last_row: Sequence[Wire]) -> list[Wire]:
    """Which row is the last that is read for: in the last tile of a column that of the edge, or where none of
    the edge's outputs lie in this column the one before."""
    rows, low = len(last_row), pyrtl.Const(0, 1)
    if tile.column_ends is None:
        return [pyrtl.select(tile.last, at, pyrtl.Const(m == rows - 1, 1)) for m, at in enumerate(last_row)]
    kept = tile.edge[0] | last_row[0]
    tops = [pyrtl.select(kept, at, above) for at, above in zip(last_row, [*last_row[1:], low], strict=True)]
    return [pyrtl.select(tile.last, top, pyrtl.Const(m == rows - 1, 1)) for m, top in enumerate(tops)]


def _turns(running: Wire, loading: Wire, tops: Sequence[Wire]) -> tuple[list[Wire], Wire, Wire]:
    """Whose turn it is, and whether it is the first or last of the step."""
    high = pyrtl.Const(1, 1)
    if len(tops) == 1:
        return [high], high, high
    beat = register(bits_for(len(tops)), "beat", reset=True)
    turn = [beat == m for m in range(len(tops))]
    last = named(
        ~loading | pyrtl.rtl_any(*(at & top for at, top in zip(turn, tops, strict=True))), "last_beat"
    )
    beat.next <<= pyrtl.select(running & ~last, fit(beat + 1, len(beat)), pyrtl.Const(0, len(beat)))
    return turn, turn[0], last
