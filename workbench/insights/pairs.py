"""Counts pairs of products in sales: arrays in, arrays out, and as much work as there are pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """``both[n]`` sales have the products ``first[n]`` < ``second[n]``; ``having[p]`` sales have product ``p``."""

    first: Ints
    second: Ints
    both: Ints
    having: Ints


def count_pairs(sale: Ints, product: Ints, products: int, at_least: int) -> Pairs:
    """The pairs that ``at_least`` so many sales (1 or more) have, of lines given by sale id and product number.

    A sale counts a product once, however many lines it has of it.
    """
    sale_number = np.unique(sale, return_inverse=True)[1]
    lines = np.unique(sale_number * products + product)  # sorted by sale, then product, without repeats
    sale_number, product = np.divmod(lines, max(1, products))
    having = np.bincount(product, minlength=products)
    often = having[product] >= at_least  # no pair is in more sales than either product
    pair, both = _counted(sale_number[often], product[often], products)
    enough = both >= at_least
    first, second = np.divmod(pair[enough], max(1, products))
    return Pairs(first, second, both[enough], having)


def _counted(sale: Ints, product: Ints, products: int) -> tuple[Ints, Ints]:
    """Each pair's number, first * products + second, and how many sales have it."""
    found: list[tuple[Ints, Ints]] = []
    line, step = np.arange(len(sale)), 1
    while True:
        line = line[line + step < len(sale)]
        line = line[sale[line] == sale[line + step]]  # a line without one at this step has none further on
        if not len(line):
            break
        found.append(np.unique(product[line] * products + product[line + step], return_counts=True))
        step += 1
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pair, place = np.unique(np.concatenate([pairs for pairs, _ in found]), return_inverse=True)
    both = np.zeros(len(pair), dtype=np.int64)
    np.add.at(both, place, np.concatenate([counts for _, counts in found]))
    return pair, both
