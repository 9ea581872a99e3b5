"""Writes the files beside it with NumPy and SciPy; run it in its folder when one is added.

The numbers are those of scipy_spec.lua in the folder above. Written by NumPy 1.24.2 and SciPy 1.10.1.
"""
import numpy as np
import scipy.io as sio
import scipy.sparse as sp

R = np.array([[1, -2, 0.1], [4, 5, 1e-300]])
Z = R + 1j * np.array([[0, 1, -0.5], [3, 0, 1e300]])


def npy(name, array, version=None):
    with open(name, "wb") as file:
        np.lib.format.write_array(file, array, version=version)


npy("c16.npy", Z)
npy("c16_fortran.npy", np.asfortranarray(Z))
npy("c16_big.npy", Z.astype(">c16"))
npy("c16_big_fortran.npy", np.asfortranarray(Z.astype(">c16")))
npy("c16_version2.npy", Z, (2, 0))
npy("c16_version3.npy", Z, (3, 0))
npy("c16_vector.npy", Z[:, 1].copy())
npy("c8.npy", np.round(Z[:, :2]).astype("c8"))
npy("f8_fortran.npy", np.asfortranarray(R))
npy("f8_big.npy", R.astype(">f8"))
npy("f4.npy", np.round(R).astype("f4"))
npy("i4.npy", np.round(R).astype("i4"))
npy("i8_big.npy", np.round(R).astype(">i8"))

S = np.array([[2, 1 - 1j, 0], [4 + 5j, 0, 3j], [-1, 0, 0.1]])
triangle = np.tril(S)
for name, matrix in {
    "general": S,
    "symmetric": triangle + np.tril(S, -1).T,
    "hermitian": np.tril(S, -1) + np.tril(S, -1).conj().T + np.diag([2, 0, 0.1]),
    "skew": np.tril(S, -1) - np.tril(S, -1).T,
}.items():
    sio.mmwrite(f"complex_{name}.mtx", sp.coo_matrix(matrix), precision=17)
    sio.mmwrite(f"complex_{name}_array.mtx", matrix, precision=17)
    real = matrix.real.copy()
    if name != "hermitian":
        sio.mmwrite(f"real_{name}.mtx", sp.coo_matrix(real), precision=17)

variables = dict(
    real=R, complex=Z, number=0.1, complex_number=1 - 2j, single=np.round(R).astype("f4"),
    int8=np.array([[1, -2]], dtype="i1"), uint8=np.array([[200, 1]], dtype="u1"),
    int16=np.array([[-300], [4]], dtype="i2"), uint16=np.array([[65535, 0]], dtype="u2"),
    int32=np.array([[-70000, 1]], dtype="i4"), uint32=np.array([[4000000000, 1]], dtype="u4"),
    int64=np.array([[-2**40, 1]], dtype="i8"), uint64=np.array([[2**63, 1]], dtype="u8"),
    packed=np.array([[1.0, 2.0, 300.0]]), true=True, booleans=np.array([[True, False, True]]),
    text="hello", greek="\u03b1\U0001d6fd\u03b3", empty_text="", rows=np.array(["ab", "cd"]),
    empty=np.zeros((0, 0)), tall=np.zeros((3, 0)),
    sparse=sp.csc_matrix(S.real), complex_sparse=sp.csc_matrix(S),
    empty_sparse=sp.csc_matrix((3, 4)), boolean_sparse=sp.csc_matrix(S.real != 0),
    cells=np.array([[R, "x"], [3.0, np.zeros((0, 0))]], dtype=object),
    struct={"a": 1.5, "b": "text", "inner": {"c": R}},
    structs=np.array([[(1.0, "x"), (2.0, "y")]], dtype=[("p", object), ("q", object)]),
)
sio.savemat("plain.mat", variables)
sio.savemat("compressed.mat", variables, do_compression=True)
sio.savemat("version4.mat", {"A": R}, format="4")
