"""The arithmetic circuits of the engines: products, requantisation, rotation, sums of (row, bank) pairs."""

from __future__ import annotations

from collections.abc import Sequence

import pyrtl

from rtl.parts.components import Wire, bits_for, fit, named


def signed_product(a: Wire, b: Wire) -> Wire:
    """The signed product of `a` and `b`, `len(a) + len(b)` bits. The block is told what is meant, so
    that the exported Verilog multiplies signed numbers and not their sign extensions."""
    bits = len(a) + len(b)
    product = (a.sign_extended(bits) * b.sign_extended(bits))[:bits]
    pyrtl.working_block().signed_products[product.name] = (a, b)
    return product


def requantise(total: Wire, shift: Wire, relu: Wire, bits: int) -> Wire:
    """`total` divided by 2^shift, rounded half up, cut to `bits` signed bits with saturation, after a
    rectifier when `relu` is high. Equal to `(total + (1 << shift >> 1)) >> shift`: the bit shifted out
    last is the carry of the rounding."""
    widened = pyrtl.concat(total, pyrtl.Const(0, 1))
    shifted = pyrtl.shift_right_arithmetic(widened, shift)
    rounded = shifted[1:].sign_extended(len(total) + 1) + shifted[0].zero_extended(len(total) + 1)
    rounded = named(rounded[: len(total) + 1], "rounded")
    negative = rounded[-1]
    top = rounded[bits - 1 :]
    overflow = None
    if len(top) > 1:
        overflow = named(pyrtl.or_all_bits(top) & ~pyrtl.and_all_bits(top), "overflows")
    most = pyrtl.Const((1 << (bits - 1)) - 1, bits)
    least = pyrtl.Const(1 << (bits - 1), bits)
    clipped = rounded[:bits]
    if overflow is not None:
        clipped = pyrtl.select(overflow, pyrtl.select(negative, least, most), clipped)
    return pyrtl.select(relu & negative, pyrtl.Const(0, bits), clipped)


def choose(select: Wire, items: Sequence[Wire]) -> Wire:
    """`items[select]`; a select beyond the last item gives the last one."""
    if len(items) == 1:
        return items[0]
    half = 1 << (bits_for(len(items)) - 1)
    low = choose(select, items[:half])
    high = choose(select, items[half:])
    return pyrtl.select(select[bits_for(len(items)) - 1], high, low)


def rotate(words: Sequence[Wire], amount: Wire, lanes: int) -> list[Wire]:
    """The first `lanes` of `words` rotated so that lane t is `words[(amount + t) mod len(words)]`.

    A logarithmic rotator: large shifts first, so that only the multiplexers which some lane needs are
    made. One lane costs `len(words) - 1` multiplexers, all lanes `len(words) * log2`.
    """
    count = len(words)
    made: dict[tuple[int, int], Wire] = {}

    def after(bit: int, lane: int) -> Wire:
        """Lane `lane` once all shifts of bit `bit` and above are done."""
        if bit == len(amount) or (1 << bit) >= count:
            return words[lane % count]
        if (bit, lane) not in made:
            straight, shifted = after(bit + 1, lane), after(bit + 1, (lane + (1 << bit)) % count)
            made[bit, lane] = pyrtl.select(amount[bit], shifted, straight)
        return made[bit, lane]

    return [after(0, lane) for lane in range(lanes)]


def at_most(value: Wire, count: int) -> list[Wire]:
    """A thermometer: bit i is high where `i <= value`, for i below `count`."""
    return [pyrtl.Const(1, 1)] + [value >= pyrtl.Const(i, bits_for(i + 1)) for i in range(1, count)]


def number_of(one_hot: Wire) -> Wire:
    """The number of the bit that is high."""
    bits = bits_for(len(one_hot))
    chosen = [[one_hot[place] for place in range(len(one_hot)) if place >> bit & 1] for bit in range(bits)]
    return pyrtl.concat_list([pyrtl.rtl_any(*places) if places else pyrtl.Const(0, 1) for places in chosen])


def word_of(one_hot: Wire, words: Sequence[Wire]) -> Wire:
    """The word whose bit is high: one gate a bit and an OR tree."""
    gated = [word & one_hot[place].sign_extended(len(word)) for place, word in enumerate(words)]
    return pyrtl.tree_reduce(lambda a, b: a | b, gated) if len(gated) > 1 else gated[0]


class BankedAddress:
    """Addresses as (row, bank) pairs for `banks` banks, added with a carry so that no divider is needed.

    A pair is one wire: the bank in the low bits, the row above. Where the number of banks is a power of
    two the pair is the plain address, and the circuits below are plain adders.
    """

    def __init__(self, *, banks: int, rows: int) -> None:
        self.banks = banks
        self.bank_bits = 0 if banks == 1 else bits_for(banks)
        self.row_bits = bits_for(rows)
        self.bits = self.bank_bits + self.row_bits
        self.power_of_two = banks == 1 << self.bank_bits

    def encode(self, address: int) -> int:
        """The pair of a plain address, as the integer that stands in a descriptor."""
        row, bank = divmod(address, self.banks)
        return row << self.bank_bits | bank

    def encode_step(self, step: int) -> int:
        """What is added to a pair to go on by `step`, or back where that is negative."""
        return self.encode(step) % (1 << self.bits)

    def bank(self, pair: Wire) -> Wire:
        """The bank, or `None` where there is only one."""
        return pair[: self.bank_bits] if self.bank_bits else None

    def row(self, pair: Wire) -> Wire:
        return pair[self.bank_bits :]

    def add(self, a: Wire, b: Wire, carry: Wire | None = None) -> Wire:
        """a + b (+ carry)."""
        if self.power_of_two:
            total = a + b if carry is None else a + b + carry
            return fit(total, self.bits)
        low = fit(self.bank(a) + self.bank(b), self.bank_bits + 1)
        if carry is not None:
            low = fit(low + carry, self.bank_bits + 1)
        over = low >= self.banks
        bank = pyrtl.select(over, fit(low - self.banks, self.bank_bits), low[: self.bank_bits])
        row = fit(self.row(a) + self.row(b) + over, self.row_bits)
        return pyrtl.concat(row, bank)

    def modulo_add(self, a: Wire, b: Wire, modulus: Wire) -> Wire:
        """(a + b) mod modulus, for a and b below it."""
        wide = BankedAddress(banks=self.banks, rows=2 << self.row_bits)
        total = wide.add(fit(a, wide.bits), fit(b, wide.bits))
        limit = fit(modulus, wide.bits)
        return pyrtl.select(
            total >= limit, fit(wide.subtract(total, limit), self.bits), fit(total, self.bits)
        )

    def subtract(self, a: Wire, b: Wire) -> Wire:
        """a - b, for a not below b."""
        if self.power_of_two:
            return fit(a - b, self.bits)
        borrow = self.bank(a) < self.bank(b)
        difference = fit(self.bank(a) - self.bank(b), self.bank_bits)
        bank = pyrtl.select(borrow, fit(difference + self.banks, self.bank_bits), difference)
        row = fit(self.row(a) - self.row(b) - borrow, self.row_bits)
        return pyrtl.concat(row, bank)

    def rows_from(self, pair: Wire) -> list[Wire]:
        """The row of each bank for `banks` consecutive words that start at `pair`: the banks before the
        first word's hold the words after the wrap, one row further."""
        row = self.row(pair)
        if not self.bank_bits:
            return [row]
        following = fit(row + 1, self.row_bits)
        bank = self.bank(pair)
        return [
            row if b == self.banks - 1 else pyrtl.select(bank > b, following, row) for b in range(self.banks)
        ]

    def spread(self, lanes: Sequence[Wire], pair: Wire) -> list[Wire]:
        """Lane t of a run of consecutive words, taken to the bank of that word: bank b receives lane
        (b - first bank) mod banks. Lanes that are not given are zero."""
        if not self.bank_bits:
            return [lanes[0]]
        zero = pyrtl.Const(0, len(lanes[0]))
        words = [*lanes, *[zero] * (self.banks - len(lanes))]
        mirrored = [words[-t % self.banks] for t in range(self.banks)]
        turned = rotate(mirrored, self.bank(pair), self.banks)
        return [turned[-b % self.banks] for b in range(self.banks)]
