#!/usr/bin/env python3
"""Writes stats/tests/golden/*.json: what mpmath (60 digits) and scipy say, for stats/tests/golden.rs.

Run by hand when a formula is added, with mpmath and scipy of a virtual environment; the files are committed, the
tests read only them. Each entry is [name, [arguments], expected]; the names are those of the test.
"""
import json
import pathlib

import mpmath as mp
import numpy as np
from scipy import stats

mp.mp.dps = 60
HALF = mp.mpf(1) / 2
out = []


def put(name, args, want):
    out.append([name, [float(a) if isinstance(a, mp.mpf) else a for a in args], float(want)])


def ibeta(a, b, x):
    """Lower tail; by the hypergeometric series that converges for x, at full precision."""
    a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
    if x > (a + 1) / (a + b + 2):
        return 1 - ibeta(b, a, 1 - x)
    term = total = mp.mpf(1) / a
    k = 0
    while abs(term) > total * mp.mpf(10) ** -45 or (k < 50):
        # I_x = x^a (1-x)^b / B * sum of positive terms (DLMF 8.17.8).
        term = term * (a + b + k) / (a + 1 + k) * x
        total += term
        k += 1
    return mp.exp(a * mp.log(x) + b * mp.log(1 - x) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)) * total


def igamma_upper(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def t_ln_p(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    return mp.log(ibeta(df / 2, HALF, df / (df + t * t)))


def root(f, low, high):
    """Bisection in logarithms, to 25 digits."""
    low, high = mp.log(low), mp.log(high)
    sign = f(mp.exp(low)) > 0
    for _ in range(90):
        middle = (low + high) / 2
        if (f(mp.exp(middle)) > 0) == sign:
            low = middle
        else:
            high = middle
    return mp.exp(low)


def distributions():
    for z in (-38, -10, -3.3, -0.1, 0, 0.7, 2, 5, 8):
        put("normal_cdf", [z], mp.ncdf(z))
    for z in (-3, 0, 5, 29.9, 30.1, 40, 100, 1000):
        put("ln_normal_sf", [z], mp.log(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2))
    for p in (1e-300, 1e-20, 1e-5, 0.025, 0.3, 0.5, 0.8, 0.975, 1 - 1e-9):
        put("normal_quantile", [p], mp.log(root(lambda e: mp.ncdf(mp.log(e)) - mp.mpf(p), mp.exp(-40), mp.exp(40))))
    for a, b, x in (
        (2, 3, 0.1), (0.5, 0.5, 1e-8), (50, 60, 0.2), (50, 60, 0.9), (5000, 5000, 0.45), (1e5, 1e5, 0.499),
        (300, 9700, 0.05), (300, 9700, 0.01), (5, 0.5, 1e-20), (0.5, 1e4, 1e-9), (3, 1e5, 5e-5), (12.5, 0.3, 0.999),
    ):
        put("beta_cdf", [x, a, b], ibeta(a, b, x))
    for shape, x in ((0.5, 30), (3, 100), (3, 1e-5), (100, 180), (100, 60), (1e4, 1.05e4), (1, 600), (7.3, 7.1)):
        put("gamma_sf", [x, shape], igamma_upper(shape, x))
        put("gamma_cdf", [x, shape], 1 - igamma_upper(shape, x))
    for t, df in (
        (40, 5), (40, 60), (40, 1e5), (0.01, 3), (1.96, 1e5), (2, 1), (300, 2.5), (12, 33.3),
    ):
        put("student_ln_p", [t, df], t_ln_p(t, df))
    put("student_ln_p", [40, float(10**300)], mp.log(mp.erfc(40 / mp.sqrt(2))))
    for alpha, df in ((0.05, 1), (0.05, 7), (0.05, 1234.5), (0.01, 3.3), (1e-12, 20), (0.2, 1e4)):
        put("student_quantile", [alpha, df], root(lambda t: mp.log(mp.mpf(alpha)) - t_ln_p(t, df), 1e-3, 1e13))
    for p, a, b in (
        (0.1, 2, 3), (0.025, 0.5, 100.5), (1e-6, 3.5, 97.5), (0.025, 300.5, 9700.5), (1e-4, 0.5, 10000.5), (0.3, 70, 4),
    ):
        put("beta_quantile", [p, a, b], root(lambda x: ibeta(a, b, x) - mp.mpf(p), mp.mpf(10) ** -30, 1 - mp.mpf(10) ** -30))
    for p, shape in ((0.025, 0.5), (0.025, 3), (0.975, 3), (1e-9, 40), (0.975, 1234.5)):
        put("gamma_quantile", [p, shape], root(lambda x: igamma_upper(shape, x) - (1 - mp.mpf(p)), mp.mpf(10) ** -25, 1e6))


A = [3.1, 4.7, 2.2, 9.8, 5.5, 6.1, 3.3, 47.0, 4.4, 5.0, 2.9, 7.7]
B = [1.1, 2.7, 3.2, 1.8, 2.5, 0.4, 3.0, 2.2, 1.9, -8.0, 2.4, 2.6, 3.9]
SETS = {"a": A, "b": B}


def samples():
    for name, v in SETS.items():
        x = np.array(v)
        for q in (0.05, 0.25, 0.5, 0.9, 0.95):
            put("percentile", [name, q], np.percentile(x, 100 * q))
        low, high = np.percentile(x, [5, 95])
        put("winsorised", [name], np.clip(x, low, high).mean())
        put("winsorised_ordered", [name], np.asarray(stats.mstats.winsorize(x, (0.1, 0.1))).mean())
        put("trimmed", [name, 0.1], stats.trim_mean(x, 0.1))
        put("trimmed", [name, 0.2], stats.trim_mean(x, 0.2))
        put("variance", [name], x.var(ddof=1))
        w = np.asarray(stats.mstats.winsorize(x, (0.2, 0.2)))
        se = w.std(ddof=1) / (0.6 * np.sqrt(len(x)))
        h = len(x) - 2 * int(0.2 * len(x))
        put("tukey_mclaughlin_high", [name], stats.trim_mean(x, 0.2) + stats.t.ppf(0.975, h - 1) * se)
        put("t_interval_low", [name], stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))[0])
        put("one_sample_p", [name, 2.0], stats.ttest_1samp(x, 2.0).pvalue)
    yuen = stats.ttest_ind(A, B, equal_var=False, trim=0.2)
    put("yuen_t", [], yuen.statistic)
    put("yuen_p", [], yuen.pvalue)
    welch = stats.ttest_ind(A, B, equal_var=False)
    put("welch_t", [], welch.statistic)
    put("welch_p", [], welch.pvalue)
    put("welch_df", [], welch.df)
    put("paired_p", [], stats.ttest_rel(A, B[:12]).pvalue)
    na, nb = len(A), len(B)
    pooled = np.sqrt(((na - 1) * np.var(A, ddof=1) + (nb - 1) * np.var(B, ddof=1)) / (na + nb - 2))
    d = (np.mean(A) - np.mean(B)) / pooled
    put("cohens_d", [], d)
    m = mp.mpf(na + nb - 2)
    put("hedges_g", [], d * mp.gamma(m / 2) / (mp.sqrt(m / 2) * mp.gamma((m - 1) / 2)))
    put("cohens_h", [0.06, 0.03], 2 * mp.asin(mp.sqrt(mp.mpf(0.06))) - 2 * mp.asin(mp.sqrt(mp.mpf(0.03))))


def beats(aw, bw, al, bl):
    """P(winner > loser) by quadrature of density times distribution function on the logit."""
    aw, bw, al, bl = map(mp.mpf, (aw, bw, al, bl))
    mp.mp.dps = 30
    ln_b = mp.loggamma(aw) + mp.loggamma(bw) - mp.loggamma(aw + bw)

    def f(u):
        x = 1 / (1 + mp.exp(-u))
        return mp.exp(aw * mp.log(x) - bw * mp.log1p(mp.exp(u)) - ln_b) * ibeta(al, bl, x)

    step = min(mp.mpf(1) / 5, mp.sqrt(min(1 / aw + 1 / bw, 1 / al + 1 / bl)) / 4)
    centre = mp.log(aw / bw)
    total, k = mp.mpf(0), 0
    for sign in (1, -1):
        k = 0 if sign == 1 else 1
        while True:
            term = f(centre + sign * k * step)
            total += term
            k += 1
            if k * step > 6 * mp.sqrt(1 / aw + 1 / bw) + 6 * mp.sqrt(1 / al + 1 / bl) and term < total * mp.mpf(10) ** -20:
                break
    mp.mp.dps = 60
    return total * step


def rates():
    for s, n in ((0, 50), (3, 100), (50, 100), (100, 100), (7, 100000)):
        ci = stats.binomtest(s, n).proportion_ci(0.95, "wilson")
        put("wilson_high", [s, n], ci.high)
        if 0 < s < n:
            put("wilson_low", [s, n], ci.low)
            put("jeffreys_low", [s, n], stats.beta.ppf(0.025, s + 0.5, n - s + 0.5))
    for p1, p2 in ((0.03, 0.036), (0.08, 0.092), (0.5, 0.2)):
        z = mp.mpf(stats.norm.ppf(0.975)) + mp.mpf(stats.norm.ppf(0.8))
        put("sample_size", [p1, p2], mp.ceil(z**2 * (p1 * (1 - p1) + p2 * (1 - p2)) / (p1 - p2) ** 2))
    for four in (
        (8, 12, 5, 15), (51, 951, 31, 971), (31, 971, 81, 921), (2.5, 7.25, 3.5, 9.1), (30.5, 970.5, 52.5, 948.5),
        (0.5, 10.5, 0.5, 8.5), (20.5, 980.5, 120.5, 880.5), (10.5, 3, 4.5, 6.5),
    ):
        put("beats", list(four), beats(*four))
    for a, b, c, d in ((31, 971, 51, 951), (30.5, 970.5, 52.5, 948.5)):
        raised = beats(c + 1, d, a, b) * mp.mpf(c) / (mp.mpf(c) + d)
        put("expected_loss", [a, b, c, d], raised - beats(c, d, a + 1, b) * mp.mpf(a) / (mp.mpf(a) + b))


def ln_e_below(a, b, bound, s, f):
    """By integration of the mixture, not by its closed form."""
    a, b, bound = mp.mpf(a), mp.mpf(b), mp.mpf(bound)
    density = lambda p: p ** (a - 1) * (1 - p) ** (b - 1)
    ratio = lambda p: (p / bound) ** s * ((1 - p) / (1 - bound)) ** f
    parts = [0, bound / 4, bound / 2, 3 * bound / 4, 9 * bound / 10, bound]
    return mp.log(mp.quad(lambda p: density(p) * ratio(p), parts) / mp.quad(density, parts))


def evidence():
    for a, b, bound, s, f in (
        (8.75, 1.25, 0.85, 0, 0), (8.75, 1.25, 0.85, 30, 12), (8.75, 1.25, 0.85, 50, 2), (6.25, 3.75, 0.6, 3, 17), (2, 8, 0.02, 0, 400),
    ):
        put("ln_e_below", [a, b, bound, s, f], ln_e_below(a, b, bound, s, f))
        put("ln_e_above", [a, b, bound, s, f], ln_e_below(b, a, 1 - mp.mpf(bound), f, s))
    for arl, k in ((365, 0.5), (1095, 0.2), (1095, 0.9), (100, 0.1)):
        k = mp.mpf(k)
        wait = lambda h: (mp.exp(2 * k * (h + mp.mpf("1.166"))) - 2 * k * (h + mp.mpf("1.166")) - 1) / (2 * k * k)
        put("cusum_threshold", [arl, k], mp.findroot(lambda h: wait(h) - 2 * arl, 3 / k**mp.mpf("0.7")))


def sequences():
    for d, v, tau in ((0.02, 1e-4, 0.02), (0.5, 0.01, 0.1), (0, 1, 1)):
        v, tau, d = mp.mpf(v), mp.mpf(tau), mp.mpf(d)
        put("ln_lambda", [float(d), float(v), float(tau)],
            mp.log(mp.sqrt(v / (v + tau**2)) * mp.exp(tau**2 * d**2 / (2 * v * (v + tau**2)))))
    for n, sigma, rho in ((500, 0.3, 0.1), (10000, 2, 0.02)):
        n, sigma, rho = mp.mpf(n), mp.mpf(sigma), mp.mpf(rho)
        put("half_width", [float(n), float(sigma), float(rho)],
            sigma * mp.sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * mp.log(mp.sqrt(n * rho**2 + 1) / mp.mpf(0.05))))
    p = [0.01, 0.04, 0.03, 0.005, 0.55, 0.04]
    for i, q in enumerate(stats.false_discovery_control(p)):
        put("bh", [i], q)


def simplex():
    """The KL projection by bisection of its multiplier (the optimality condition is w = clip(c v))."""
    values = [mp.mpf(v) for v in (0.62, 0.25, 0.1, 0.001)]
    clip = lambda c: [min(max(c * v, mp.mpf(0.05)), mp.mpf(0.5)) for v in values]
    c = root(lambda c: sum(clip(c)) - 1, 1e-3, 1e3)
    for i, x in enumerate(clip(c)):
        put("kl_projection", [i], x)


ROWS = [[0.5, -1.2], [1.5, 0.3], [-0.7, 0.9], [2.2, -0.4], [0.1, 0.2], [-1.4, -0.8], [0.9, 1.7], [-0.3, 0.5]]
REAL = [1.3, 2.9, -0.4, 4.4, 0.6, -2.5, 3.1, 0.2]
BINARY = [1, 1, 0, 1, 0, 0, 1, 1]


def fit(link, ridge):
    """Penalised Newton in 60 digits, far past convergence."""
    x = mp.matrix([[1, *row] for row in ROWS])
    y = mp.matrix(BINARY if link == "logit" else REAL)
    penalty = mp.diag([0, ridge, ridge])
    beta = mp.matrix(3, 1)
    for _ in range(60):
        eta = x * beta
        mu = eta.apply(lambda e: 1 / (1 + mp.exp(-e))) if link == "logit" else eta
        w = mp.diag([m * (1 - m) if link == "logit" else 1 for m in mu])
        beta += mp.lu_solve(x.T * w * x + penalty, x.T * (y - mu) - penalty * beta)
    return beta


def runs():
    """Run lengths after six values by summing over every way to cut them, from marginal likelihoods."""
    values = [mp.mpf(v) for v in (0.1, -0.3, 0.2, 4.1, 3.8, 4.3)]
    hazard, mu0, k0, a0, b0 = mp.mpf(1) / 20, 0, 1, 1, mp.mpf(1)

    def marginal(v):
        n, mean = len(v), sum(v) / len(v)
        kn, an = k0 + n, a0 + mp.mpf(n) / 2
        bn = b0 + sum((x - mean) ** 2 for x in v) / 2 + k0 * n * (mean - mu0) ** 2 / (2 * kn)
        return mp.gamma(an) / mp.gamma(a0) * b0**a0 / bn**an * mp.sqrt(mp.mpf(k0) / kn) * (2 * mp.pi) ** (-mp.mpf(n) / 2)

    total = {}
    for cuts in range(2**5):
        weight, start = mp.mpf(1), 0
        for i in range(1, 6):
            cut = cuts >> (i - 1) & 1
            weight *= hazard if cut else 1 - hazard
            if cut:
                weight *= marginal(values[start:i])
                start = i
        weight *= marginal(values[start:])
        total[6 - start] = total.get(6 - start, 0) + weight
    everything = sum(total.values())
    for length, weight in sorted(total.items()):
        put("run", [length], (1 - hazard) * weight / everything)


def models():
    for i in range(3):
        put("ridge", [i], fit("identity", mp.mpf("0.7"))[i])
        put("logit", [i], fit("logit", mp.mpf("0.7"))[i])
    runs()
    put("sample_ratio_p", [], stats.chisquare([5210, 4790, 2400], np.array([0.4, 0.4, 0.2]) * 12400).pvalue)
    for mean, sigma, x in ((0, 1, 0), (0.2, 0.5, 1.4), (3, 0.1, -2)):
        mean, sigma, x = mp.mpf(mean), mp.mpf(sigma), mp.mpf(x)
        marks = sorted({x, *(mean + k * sigma for k in (-30, -8, -3, 0, 3, 8, 30))})
        integral = sum(mp.quad(lambda t: (mp.ncdf((t - mean) / sigma) - (1 if low >= x else 0)) ** 2, [low, high])
                       for low, high in zip(marks, marks[1:]))
        put("crps", [float(mean), float(sigma), float(x)], integral)
    y, v = np.array([0.3, 0.1, 0.6, -0.2, 0.25]), np.array([0.01, 0.02, 0.015, 0.04, 0.008])
    w = 1 / v
    q = np.sum(w * (y - np.sum(w * y) / w.sum()) ** 2)
    tau = max(0, (q - 4) / (w.sum() - np.sum(w**2) / w.sum()))
    put("tau_squared", [], tau)
    put("pooled_mean", [], np.average(y, weights=1 / (v + tau)))
    s, n = np.array([3, 10, 25, 4]), np.array([100, 150, 200, 90])
    p = s.sum() / n.sum()
    put("rate_tau_squared", [], (np.sum(n * (s / n - p) ** 2) - 3 * p * (1 - p)) / (n.sum() - np.sum(n**2) / n.sum()))
    x = np.array([[1, *row] for row in ROWS])
    sigma = np.linalg.inv(0.5 * np.eye(3) + x.T @ x)
    for i in range(3):
        put("theta", [i], (sigma @ x.T @ np.array(REAL))[i])
    put("spread", [], x[3] @ sigma @ x[3])
    revenue = np.array([0, 0, 3.5, 0, 12.0, 0, 1.2, 0, 0, 7.7, 0, 30.0])
    logs = np.log(revenue[revenue > 0])
    share, square = len(logs) / len(revenue), logs.var(ddof=1)
    ln_mean = np.log(share) + logs.mean() + square / 2
    put("hurdle_mean", [], np.exp(ln_mean))
    ln_var = (1 - share) / (len(revenue) * share) + square / len(logs) + square**2 / (2 * (len(logs) - 1))
    put("hurdle_high", [], np.exp(ln_mean + stats.norm.ppf(0.975) * np.sqrt(ln_var)))
    a = np.array(A)
    b = np.array(B[:12])
    put("cuped_theta", [], np.cov(a, b)[0, 1] / b.var(ddof=1))
    put("cuped_reduction", [], np.corrcoef(a, b)[0, 1] ** 2)


def write(name, *parts):
    out.clear()
    for part in parts:
        part()
    path = pathlib.Path(__file__).parent.parent / "stats/tests/golden" / f"{name}.json"
    path.write_text("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]\n")


if __name__ == "__main__":
    # Minutes, nearly all of them for the two rows of `beats` with a thousand trials and more.
    write("distributions", distributions)
    write("samples", samples)
    write("rates", rates)
    write("evidence", evidence)
    write("sequences", sequences, simplex)
    write("models", models)
