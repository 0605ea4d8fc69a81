#!/usr/bin/env python3
"""Prints the tables of src/kernel/x86/activation_avx512.h: GELU and QuickGELU are x P(x), P a polynomial of degree 3 in each
of 32 intervals of equal width around its multiples -16 .. 15; entry i mod 32 is that of multiple i. The outermost intervals
are 0 and 1. Says on standard error how far x P(x), computed in float32, is from the function."""
import math
import sys

import numpy

DEGREE, PIECES = 3, 32


def normal_cdf(x):
    return 0.5 * math.erfc(-x * math.sqrt(0.5))


def quick_cdf(x):
    return 1.0 / (1.0 + math.exp(-1.702 * x))


def fit(function, middle, width):
    """Interpolation where the polynomial of Chebyshev of one degree more is 0."""
    nodes = middle + width / 2 * numpy.cos(math.pi * (numpy.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    values = [function(x) for x in nodes]
    return numpy.linalg.solve(numpy.vander(nodes, increasing=True), values)


def table(function, width):
    rows = []
    for entry in range(PIECES):
        i = entry if entry < PIECES // 2 else entry - PIECES
        if i in (-PIECES // 2, PIECES // 2 - 1):
            rows.append([0.0 if i < 0 else 1.0] + [0.0] * DEGREE)
        else:
            rows.append(fit(function, i * width, width))
    return numpy.array(rows, numpy.float32).T


def error(function, width, c):
    x = numpy.linspace(-10, 10, 2000001).astype(numpy.float32)
    u = numpy.maximum(x, numpy.float32(-16 * width))
    y = numpy.minimum(u, numpy.float32(15 * width))
    i = numpy.rint(y * numpy.float32(1 / width)).astype(int) % PIECES
    p = c[DEGREE][i]
    for d in range(DEGREE - 1, -1, -1):
        p = p * y + c[d][i]
    exact = numpy.array([v * function(v) for v in x.astype(float)])
    return numpy.max(numpy.abs(u * p - exact) / (1 + numpy.abs(exact)))


def main():
    for name, function, width in (("gelu", normal_cdf, 0.3125), ("quick_gelu", quick_cdf, 0.5)):
        c = table(function, width)
        print(f"{name}: {error(function, width, c):.1e} (1 + |y|)", file=sys.stderr)
        print(f"/* Width {width}. */\nstatic const float {name}_table[{DEGREE + 1}][{PIECES}] = {{")
        for row in c:
            numbers = [f"{v:.8e}f" for v in row]
            print("    {" + ",\n     ".join(", ".join(numbers[k:k + 6]) for k in range(0, PIECES, 6)) + "},")
        print("};")


main()
