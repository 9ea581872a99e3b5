-- What NumPy and SciPy have written (files/make.py) is read with their numbers, and what neap
-- writes is read by them, where they are installed.
local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
require "spec.support.arrays"
local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
local complex = neap.complex

local here = "spec/host/array/files/"
local i = complex(0, 1)
local R = { { 1, -2, 0.1 }, { 4, 5, 1e-300 } }
local Z = { { complex(1), -2 + i, complex(0.1, -0.5) },
            { 4 + 3 * i, complex(5), complex(1e-300, 1e300) } }
local S = { { complex(2), 1 - i, complex(0) }, { 4 + 5 * i, complex(0), 3 * i },
            { complex(-1), complex(0), complex(0.1) } }

local function map(rows, f)
  local result = {}
  for r, row in ipairs(rows) do
    result[r] = {}
    for c, x in ipairs(row) do result[r][c] = f(x, r, c) end
  end
  return result
end

local has_mat = lfs.attributes(command.neap:match("^(.*)/") .. "/neap_mat.so") ~= nil
-- Not the first python3 of the path: Debian's has Debian's packages.
local python = "/usr/bin/python3"
local has_scipy = lfs.attributes(python) ~= nil
  and os.execute(python .. " -c 'import scipy.io' >/dev/null 2>&1") == true

describe("files of NumPy", function()
  leaks.watch(before_each, after_each)

  it("are read with their numbers, in every order and version", function()
    for _, name in ipairs { "c16", "c16_fortran", "c16_big", "c16_big_fortran", "c16_version2",
                            "c16_version3" } do
      local M = neap.load(here .. name .. ".npy", { as = "Matrix" })
      assert.close_arrays(Z, M)
      assert.is_true(M.is_complex)
    end
    assert.close_arrays({ { -2 + i, complex(5) } }, neap.load(here .. "c16_vector.npy"))
    assert.close_arrays({ { 1, 4 + 3 * i }, { -2 + i, 5 } }, neap.load(here .. "c8.npy"))
    for _, name in ipairs { "f8_fortran", "f8_big" } do
      assert.close_arrays(R, neap.load(here .. name .. ".npy", { as = "Matrix" }))
    end
    for _, name in ipairs { "f4", "i4", "i8_big" } do
      assert.close_arrays({ { 1, -2, 0 }, { 4, 5, 0 } },
        neap.load(here .. name .. ".npy", { as = "Matrix" }))
    end
  end)

  it("are written byte by byte", function()
    local path = os.tmpname()
    finally(function() os.remove(path) os.remove(path .. ".npy") end)
    for name, rows in pairs { c16_fortran = Z, f8_fortran = R } do
      neap.save(path .. ".npy", Matrix.from_table(rows))
      assert.equal(command.slurp(here .. name .. ".npy"), command.slurp(path .. ".npy"))
    end
    neap.save(path .. ".npy", neap.load(here .. "c16_vector.npy"))
    assert.close_arrays({ { -2 + i, complex(5) } }, neap.load(path .. ".npy"))
  end)
end)

describe("Matrix Market files of SciPy", function()
  leaks.watch(before_each, after_each)

  local function mirrored(f)
    return map(S, function(x, r, c)
      if r == c then return f == nil and x or complex(0) end
      if r > c then return x end
      return f == nil and S[c][r] or f(S[c][r])
    end)
  end
  local expected = {
    general = S,
    symmetric = mirrored(),
    skew = mirrored(function(x) return -x end),
    hermitian = map(mirrored(function(x) return x:conj() end),
      function(x, r, c) return r == c and complex(({ 2, 0, 0.1 })[r]) or x end),
  }

  it("are read with their numbers, of every symmetry, with and without coordinates", function()
    for name, rows in pairs(expected) do
      assert.close_arrays(rows, neap.load(here .. "complex_" .. name .. ".mtx"):to_matrix())
      assert.close_arrays(rows, neap.load(here .. "complex_" .. name .. "_array.mtx"))
      if name ~= "hermitian" then
        assert.close_arrays(map(rows, function(x) return x.re end),
          neap.load(here .. "real_" .. name .. ".mtx"):to_matrix())
      end
    end
  end)
end)

describe(".mat files of SciPy", function()
  leaks.watch(before_each, after_each)
  if not has_mat then
    pending("are read where matio is installed")
    return
  end

  for _, name in ipairs { "plain", "compressed" } do
    it("are read with their numbers: " .. name, function()
      local t = neap.load(here .. name .. ".mat")
      assert.close_arrays(R, t.real)
      assert.close_arrays(Z, t.complex)
      assert.equal(0.1, t.number)
      assert.equal(complex(1, -2), t.complex_number)
      assert.close_arrays({ { 1, -2, 0 }, { 4, 5, 0 } }, t.single)
      for key, rows in pairs {
        int8 = { { 1, -2 } }, uint8 = { { 200, 1 } }, int16 = { { -300 }, { 4 } },
        uint16 = { { 65535, 0 } }, int32 = { { -70000, 1 } }, uint32 = { { 4000000000, 1 } },
        int64 = { { -2 ^ 40, 1 } }, uint64 = { { 2 ^ 63, 1 } }, packed = { { 1, 2, 300 } },
        booleans = { { 1, 0, 1 } },
      } do
        assert.same(rows, t[key]:to_table(), key)
      end
      assert.is_true(t["true"])
      assert.equal("hello", t.text)
      assert.equal("α𝛽γ", t.greek)
      assert.equal("", t.empty_text)
      assert.same({ "ab", "cd" }, t.rows)
      assert.same({ 0, 0 }, { t.empty.rows, t.empty.cols })
      assert.same({ 3, 0 }, { t.tall.rows, t.tall.cols })
      assert.close_arrays(S, t.complex_sparse:to_matrix())
      assert.close_arrays(map(S, function(x) return x.re end), t.sparse:to_matrix())
      assert.same({ 5, 5 }, { t.sparse.nnz, t.boolean_sparse.nnz })
      assert.same({ 3, 4, 0 }, { t.empty_sparse.rows, t.empty_sparse.cols, t.empty_sparse.nnz })
      assert.close_arrays(map(S, function(x) return x.re ~= 0 and 1 or 0 end),
        t.boolean_sparse:to_matrix())
      assert.close_arrays(R, t.cells[1])
      assert.same({ 3, "x" }, { t.cells[2], t.cells[3] })
      assert.equal(0, t.cells[4].rows)
      assert.same({ 1.5, "text" }, { t.struct.a, t.struct.b })
      assert.close_arrays(R, t.struct.inner.c)
      assert.same({ { p = 1, q = "x" }, { p = 2, q = "y" } }, t.structs)
      local names = 0
      for _ in pairs(t) do names = names + 1 end
      assert.equal(29, names)
    end)
  end

  it("of version 4 are refused, saying what to do", function()
    local path = here .. "version4.mat"
    assert.has_error(function() return neap.load(path) end,
      path .. ": .mat of version 4 expected in version 5: save it with -v7")
  end)
end)

describe("what neap writes", function()
  if not has_scipy then
    pending("is read by SciPy where it is installed")
    return
  end

  it("is read by NumPy and SciPy with the same numbers", function()
    local folder, remove = command.folder()
    finally(remove)
    local function at(name) return folder .. "/" .. name end
    local A = SparseMatrix.from_triplets(3, 3, { 1, 1, 2, 2, 3, 3 }, { 1, 2, 1, 3, 1, 3 },
      { 2, 1 - i, 4 + 5 * i, 3 * i, -1, 0.1 })
    local H = A + A:H()
    for name, object in pairs {
      ["z.npy"] = Matrix.from_table(Z), ["r.npy"] = Matrix.from_table(R),
      ["row.npy"] = VectorArray.from_table { { i, 2 } }, ["empty.npy"] = VectorArray.zeros(3, 0),
      ["z.mtx"] = Matrix.from_table(Z), ["r.mtx.gz"] = Matrix.from_table(R),
      ["a.mtx"] = A, ["h.mtx"] = H, ["s.mtx"] = A + A:T(), ["r.mtx"] = A:real(),
    } do
      neap.save(at(name), object)
    end
    neap.save(at "all.mat", {
      Z = Matrix.from_table(Z), R = Matrix.from_table(R), A = A, r = A:real(), x = 0.1,
      z = complex(1, -2), text = "αβ", list = { 1, "two" }, s = { a = 1, b = { c = "x" } },
      U = VectorArray.from_table { { 1, 2 }, { 3, 4 }, { 5, 6 } }, flag = true,
      none = Matrix.zeros(0, 3), E = SparseMatrix.from_triplets(2, 3, {}, {}, {}),
    })
    local script = command.write([=[
import sys, os
import numpy as np, scipy.io as sio
os.chdir(sys.argv[1])
R = np.array([[1, -2, 0.1], [4, 5, 1e-300]])
Z = R + 1j * np.array([[0, 1, -0.5], [3, 0, 1e300]])
S = np.array([[2, 1 - 1j, 0], [4 + 5j, 0, 3j], [-1, 0, 0.1]])
def same(a, b): assert a.shape == b.shape and (a == b).all(), (a, b)
same(np.load("z.npy"), Z)
same(np.load("r.npy"), R)
same(np.load("row.npy"), np.array([[1j], [2]]))
assert np.load("empty.npy").shape == (3, 0)
same(sio.mmread("z.mtx"), Z)
same(sio.mmread("r.mtx.gz"), R)
same(sio.mmread("a.mtx").toarray(), S)
same(sio.mmread("h.mtx").toarray(), S + S.conj().T)
same(sio.mmread("s.mtx").toarray(), S + S.T)
same(sio.mmread("r.mtx").toarray(), S.real)
t = sio.loadmat("all.mat")
same(t["Z"], Z); same(t["R"], R); same(t["A"].toarray(), S); same(t["r"].toarray(), S.real)
assert t["x"][0, 0] == 0.1 and t["z"][0, 0] == 1 - 2j and t["text"][0] == "\u03b1\u03b2"
assert t["list"][0, 0][0, 0] == 1 and t["list"][0, 1][0] == "two" and t["flag"][0, 0] == 1
assert t["s"][0, 0]["a"][0, 0] == 1 and t["s"][0, 0]["b"][0, 0]["c"][0] == "x"
same(t["U"], np.array([[1, 3, 5], [2, 4, 6]]))
assert t["none"].shape == (0, 3) and t["E"].shape == (2, 3) and t["E"].nnz == 0
print("the same")
]=])
    local outcome = command.run(("%s %s %s"):format(python, script, folder))
    os.remove(script)
    assert.equal("the same\n", outcome.out, outcome.err)
  end)
end)
