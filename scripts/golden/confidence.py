"""Intervals of block bootstraps, from NumPy and SciPy.

    python scripts/golden/confidence.py

writes test/golden/evaluate/confidence.json: NLL and KL of made-up tokens in blocks of unlike length, the sums of each block, 95%
intervals of the mean per token, and of paired differences. The resamples are those of Keystone's generator, which is written out
here; normal and Student quantiles are SciPy's. The same intervals by `scipy.stats.bootstrap` (BCa, 20,000 resamples of its own, at
the level that the widening for few blocks comes to) are a second opinion.
"""

import json
from pathlib import Path

import numpy as np
from scipy.stats import bootstrap, norm, t

OUT = Path(__file__).resolve().parents[2] / "test/golden/evaluate/confidence.json"
RESAMPLES, LEVEL, SEED = 2_000, 0.95, 0x9E3779B9
MASK = 0xFFFFFFFF


def draws(n):
    """Blocks of each resample: (resamples, n), by mulberry32."""
    out, state = np.empty(RESAMPLES * n, dtype=np.int64), SEED
    for i in range(out.size):
        state = (state + 0x6D2B79F5) & MASK
        x = ((state ^ (state >> 15)) * (1 | state)) & MASK
        x = ((x + (((x ^ (x >> 7)) * (61 | x)) & MASK)) & MASK) ^ x
        out[i] = int(((x ^ (x >> 14)) & MASK) / 2**32 * n)
    return out.reshape(RESAMPLES, n)


def widened(n):
    return np.sqrt(n / (n - 1)) * t.ppf((1 + LEVEL) / 2, n - 1)


def interval(sums, tokens):
    n, mean = len(sums), sums.sum() / tokens.sum()
    picked = draws(n)
    means = np.sort(sums[picked].sum(1) / tokens[picked].sum(1))
    bias = norm.ppf(((means < mean).mean() + (means <= mean).mean()) / 2)
    left = (sums.sum() - sums) / (tokens.sum() - tokens)
    off = left.mean() - left
    acceleration = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
    z = widened(n) * np.array([-1, 1])
    shares = norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
    return np.quantile(means, shares).tolist()


def by_scipy(sums, tokens, generator):
    def mean(s, n, axis=-1):
        return s.sum(axis=axis) / n.sum(axis=axis)

    found = bootstrap(
        (sums, tokens),
        mean,
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        confidence_level=2 * norm.cdf(widened(len(sums))) - 1,
        method="BCa",
        rng=generator,
    ).confidence_interval
    return [float(found.low), float(found.high)]


def short(values):
    """Digits that are enough to read the same f32 again."""
    return [float(str(value)) for value in values]


def case(n, shortest, longest, generator):
    tokens = generator.integers(shortest, longest + 1, n)
    hard = np.repeat(generator.normal(0, 0.2, n), tokens)
    nll = np.float32(np.maximum(0, generator.gamma(1.2, 2.5, tokens.sum()) + hard))
    kl = {
        name: np.float32(generator.lognormal(-4 + shift, 1.5, tokens.sum()))
        for name, shift in [("a", 0), ("b", 0.02), ("c", 1)]
    }
    ends = np.cumsum(tokens)
    sums = lambda values: np.add.reduceat(values.astype(np.float64), np.concatenate([[0], ends[:-1]]))
    by_block = {name: sums(values) for name, values in kl.items()}
    return {
        "tokens": tokens.tolist(),
        "nll": short(nll),
        "kl": {name: short(values) for name, values in kl.items()},
        "nllSums": sums(nll).tolist(),
        "nllInterval": interval(sums(nll), tokens),
        "nllScipy": by_scipy(sums(nll), tokens, generator),
        "klSums": {name: values.tolist() for name, values in by_block.items()},
        "klIntervals": {name: interval(values, tokens) for name, values in by_block.items()},
        "klScipy": {name: by_scipy(values, tokens, generator) for name, values in by_block.items()},
        "differences": {
            f"{a}-{b}": interval(by_block[a] - by_block[b], tokens) for a, b in [("a", "b"), ("c", "a")]
        },
    }


def main():
    generator = np.random.default_rng(12)
    cases = [case(10, 16, 16, generator), case(25, 8, 24, generator), case(40, 5, 30, generator)]
    OUT.write_text(json.dumps({"cases": cases}) + "\n")


if __name__ == "__main__":
    main()
