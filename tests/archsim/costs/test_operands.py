"""How often operands change is counted as a PE sees them, product after product."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.costs.operands import operand_activity, ordered_activity, workload_of
from archsim.engine import engines
from archsim.engine.stimulus import stimulus
from tests.strategies import cases
from workloads import IntegerNetwork


def one_by_one(network: IntegerNetwork, accumulator_bits: int) -> dict[str, float]:
    """The same rates from plain loops over stages, digits, outputs and taps."""
    widths = {
        "weight": network.weight_bits,
        "activation": network.activation_bits,
        "product": network.weight_bits + network.activation_bits,
        "total": accumulator_bits,
    }
    changed, products, nonzero = dict.fromkeys(widths, 0), 0, 0
    inputs = stimulus(network)
    signals = [inputs, *network.trace(inputs)[:-1]]
    for integer, signal in zip(network.stages, signals, strict=True):
        columns, weights = integer.stage.columns().tolist(), integer.weights.ravel().tolist()
        for x in signal.T.tolist():
            before: dict[str, int] = {}
            at = 0
            for length in integer.stage.row_lengths().tolist():
                total = 0
                for weight, column in zip(weights[at : at + length], columns[at : at + length], strict=True):
                    total += weight * x[column]
                    now = {
                        "weight": weight,
                        "activation": x[column],
                        "product": weight * x[column],
                        "total": total,
                    }
                    for name, bits in widths.items():
                        if before:
                            changed[name] += ((now[name] ^ before[name]) & ((1 << bits) - 1)).bit_count()
                    before, products, nonzero = now, products + 1, nonzero + (x[column] != 0)
                at += length
    rates = {name: changed[name] / (products * bits) for name, bits in widths.items()}
    # Row after row a PE keeps the sum that it adds to.
    return rates | {"kept": rates["total"], "nonzero": nonzero / products}


@settings(max_examples=40)
@given(data=st.data(), kind=st.sampled_from(sorted(engines)))
def test_rates_are_those_of_plain_loops(data: st.DataObject, kind: str) -> None:
    network = data.draw(cases(kind)).network
    if network.stored_weights == 0:
        return
    assert vars(operand_activity(network, network.accumulator_bits)) == one_by_one(
        network, network.accumulator_bits
    )


@settings(max_examples=30)
@given(data=st.data())
def test_rates_of_products_by_column_are_those_of_plain_loops(data: st.DataObject) -> None:
    """A PE makes products column after column, those of zero not at all, and adds each to another sum."""
    case = data.draw(cases("eie"))
    mapping = case.engine.map(case.network)
    network, orders = case.network, mapping.product_orders
    assert orders is not None
    inputs = stimulus(network)
    changed, kept, products, bits = 0, 0, 0, network.accumulator_bits
    mask = (1 << bits) - 1
    for integer, signal, order in zip(
        network.stages, [inputs, *network.trace(inputs)[:-1]], orders, strict=True
    ):
        columns, weights = integer.stage.columns().tolist(), integer.weights.ravel().tolist()
        row = [r for r, length in enumerate(integer.stage.row_lengths()) for _ in range(length)]
        for x in signal.T.tolist():
            sums: dict[int, int] = dict.fromkeys(row, 0)
            before: int | None = None
            for at in [at for at in order.tolist() if x[columns[at]] != 0]:
                chosen = sums[row[at]]
                if before is not None:
                    changed += ((chosen ^ before) & mask).bit_count()
                before, products = chosen, products + 1
                sums[row[at]] += weights[at] * x[columns[at]]
                kept += ((chosen ^ sums[row[at]]) & mask).bit_count()
    if products == 0:
        return
    operands = ordered_activity(network, bits, orders, padding=0.0)
    assert operands.total == pytest.approx(changed / (products * bits))
    assert operands.kept == pytest.approx(kept / (products * bits))
    assert ordered_activity(network, bits, orders, padding=0.5).total == pytest.approx(operands.total / 2)


def test_an_engine_reading_blank_pixels_works_with_less_energy() -> None:
    """A pruned network multiplies the image itself, most of it blank; a CSC network mostly dense vectors."""
    csc, pruned = (
        a.DesignPoint(network=f"lenet-300-100-{kind}", engine={"kind": kind, "pes": 16}, technology="cmos65")
        for kind in ("csc", "pruned")
    )
    rates = [workload_of(design.mapping).operands for design in (csc, pruned)]
    assert rates[1].activation < 0.8 * rates[0].activation
    assert rates[1].product < 0.8 * rates[0].product
