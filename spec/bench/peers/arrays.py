"""The other side of spec/bench/arrays.lua: the same rows with NumPy and SciPy, the fastest of the
usual ways where there are several. Reads names of rows, answers each with a line of samples."""
import sys
from time import perf_counter as clock

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.linalg import blas
from scipy.sparse.linalg import splu

SAMPLE, SAMPLES, LEAST, BUDGET, WARM = 2e-3, 15, 3, 0.1, 0.08
rng = np.random.default_rng(1)


def samples(f):
    warm = clock() + WARM
    while clock() < warm:
        f()
    start = clock()
    f()
    calls = max(1, min(100000, int(SAMPLE / max(clock() - start, 1e-8)) + 1))
    start, times = clock(), []
    while len(times) < SAMPLES and (len(times) < LEAST or clock() - start < BUDGET):
        before = clock()
        for _ in range(calls):
            f()
        times.append((clock() - before) / calls)
    return times


def random(*shape):
    return np.asfortranarray(rng.uniform(-1, 1, shape))


def vector_rows(dim, n):
    U, V, C = random(dim, n), random(dim, n), random(n, n)
    one = V[:, :1].copy()
    indices = np.array([(i * 7919) % dim for i in range(1, 51)])

    def axpy():
        nonlocal U
        U += 1e-9 * V

    def scal():
        nonlocal U
        U *= 1.0000000001

    def append():
        W = np.empty((dim, 0), order="F")
        for _ in range(5):
            W = np.append(W, one, axis=1)

    def append_reserved():
        W = np.empty((dim, 1), order="F")
        for k in range(5):
            if k == W.shape[1]:
                W, old = np.empty((dim, 2 * k), order="F"), W
                W[:, :k] = old
            W[:, k:k + 1] = one

    return {
        "inner": [lambda: U.T @ V],
        "gramian": [lambda: U.T @ U],
        "lincomb": [lambda: U @ C, lambda: (C.T @ U.T).T],
        "axpy": [axpy, lambda: blas.daxpy(V.ravel("K"), U.ravel("K"), a=1e-9)],
        "scal": [scal],
        "U + V": [lambda: U + V],
        "norm": [lambda: np.linalg.norm(U, axis=0),
                 lambda: np.sqrt(np.einsum("ij,ij->j", U, U)),
                 lambda: [blas.dnrm2(U[:, j]) for j in range(n)]],
        "sup_norm": [lambda: np.abs(U).max(axis=0),
                     lambda: np.maximum(U.max(axis=0), -U.min(axis=0))],
        "amax": [lambda: np.abs(U).argmax(axis=0),
                 lambda: [blas.idamax(U[:, j]) for j in range(n)]],
        "dofs": [lambda: U[indices]],
        "append 5": [append, append_reserved],
    }


def matrix_rows(n):
    A = random(n, n)
    S, B = np.asfortranarray(A.T @ A), random(n, 5)
    return {
        "solve": [lambda: np.linalg.solve(A, B)],
        "svd": [lambda: np.linalg.svd(A)],
        "eigh": [lambda: np.linalg.eigh(S), lambda: scipy.linalg.eigh(S)],
        "matrix product": [lambda: A @ S],
    }


def sparse_rows(size):
    triplets = np.load(f"{sys.argv[1]}/{size}.npy")
    i, j = (triplets[:, k].astype(int) - 1 for k in range(2))
    A = scipy.sparse.csc_matrix((triplets[:, 2], (i, j)))
    R, dim = A.tocsr(), A.shape[0]
    b, many = np.ones(dim), random(dim, 16)
    many_rows = np.ascontiguousarray(many)
    factors = []

    def factorise():
        return splu(A)

    def factorise_symmetric():  # the ordering that suits symmetric patterns best
        return splu(A, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0,
                    options={"SymmetricMode": True})

    def solve(b):
        if not factors:
            factors.append(factorise_symmetric())
        return factors[0].solve(b)

    both = [lambda: factorise().solve(b), lambda: factorise_symmetric().solve(b)]
    return {
        "apply": [lambda: A @ b, lambda: R @ b],
        "apply to 16": [lambda: A @ many, lambda: R @ many, lambda: R @ many_rows],
        "factorise + solve": both,
        "refactorise": [factorise, factorise_symmetric],
        "refactorise + solve": both,
        "solve": [lambda: solve(b)],
        "solve with 16": [lambda: solve(many)],
    }


groups = {}
for dim, n in (100, 10), (10000, 50), (1000000, 10):
    groups[f"{dim} x {n}"] = lambda dim=dim, n=n: vector_rows(dim, n)
for n in 10, 100, 1000:
    groups[str(n)] = lambda n=n: matrix_rows(n)
for size, dim in ("small", 9941), ("large", 159613):
    groups[str(dim)] = lambda size=size: sparse_rows(size)

current, rows = None, {}
for line in sys.stdin:
    row = line.rstrip("\n")
    group = next(g for g in groups if row.endswith(" " + g))
    if group != current:
        current, rows = group, groups[group]()
    best = min((samples(f) for f in rows[row[:-len(group) - 1]]), key=min)
    print(*(f"{t:.9g}" for t in best), flush=True)
