require "spec.support.arrays"
local neap = require "neap"
local wire = require "host.wire"
local Matrix, VectorArray = neap.Matrix, neap.VectorArray
local complex = neap.complex

local nan = 0 / 0
local i = complex(0, 1)

local function raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

local function all_of(n)
  local list = {}
  for k = 1, n do list[k] = k end
  return list
end

--- A matrix of random entries, both parts in [-1, 1).
local function random(rows, cols, seed)
  local options = { low = -1, seed = seed, complex = true }
  return VectorArray.random(rows, cols, options):dofs(all_of(rows))
end

--- [[Re, -Im], [Im, Re]]: products, inverses and singular values are those of M.
local function real_form(M)
  local re, im, rows = M:real():to_table(), M:imag():to_table(), {}
  for r = 1, M.rows do
    rows[r], rows[M.rows + r] = {}, {}
    for c = 1, M.cols do
      rows[r][c], rows[r][M.cols + c] = re[r][c], -im[r][c]
      rows[M.rows + r][c], rows[M.rows + r][M.cols + c] = im[r][c], re[r][c]
    end
  end
  return Matrix.from_table(rows)
end

--- Rounding of an algorithm on n x n matrices with entries of size 1.
local function tolerance(n) return 100 * n * 2 ^ -52 end

describe("complex Matrix", function()
  local A
  before_each(function()
    A = Matrix.from_table { { complex(1, 2), 3, i }, { 0, complex(0, -1), 2 } }
  end)

  it("is made where an entry is complex, or on demand", function()
    assert.is_true(A.is_complex)
    assert.equal(complex(3), A:get(1, 2))
    assert.is_false(Matrix.identity(2).is_complex)
    assert.close_arrays({ { complex(1), 0 }, { 0, 1 } }, Matrix.identity(2, { complex = true }))
    assert.is_true(Matrix.zeros(2, 0, { complex = true }).is_complex)
    assert.close_arrays({ { 1, 0 }, { 0, i } }, Matrix.diag { 1, i })
    raises("unknown option 'complx'", Matrix.zeros, 1, 1, { complx = true })
    raises("entry (1, 2): number expected, got string", Matrix.from_table, { { i, "x" } })
  end)

  it("becomes complex when a complex entry is set", function()
    local M = Matrix.identity(2)
    local copy = M:copy()
    M:set(1, 2, i)
    assert.close_arrays({ { 1, i }, { 0, 1 } }, M)
    M:set(1, 2, 4)
    assert.equal(complex(4), M:get(1, 2))
    assert.is_false(copy.is_complex)
    raises("Matrix is frozen", function() copy:freeze():set(1, 1, i) end)
  end)

  it("has parts, conjugate, transpose and adjoint", function()
    assert.close_arrays({ { 1, 3, 0 }, { 0, 0, 2 } }, A:real())
    assert.close_arrays({ { 2, 0, 1 }, { 0, -1, 0 } }, A:imag())
    assert.close_arrays({ { complex(1, -2), 3, -i }, { 0, i, 2 } }, A:conj())
    assert.close_arrays({ { complex(1, 2), 0 }, { 3, -i }, { i, 2 } }, A:T())
    assert.close_arrays(A:T():conj(), A:H())
    assert.close_arrays(A, A:real() + i * A:imag())
    local M = Matrix.from_table { { 1, 2 } }
    assert.close_arrays(M:T(), M:H())
    assert.close_arrays(M, M:real())
    assert.close_arrays({ { 0, 0 } }, M:imag())
    assert.is_false(M:conj().is_complex)
    assert.same({ complex(1, 2), complex(3), i }, A:row(1))
    assert.same({ i, complex(2) }, A:col(3))
    assert.close_arrays({ { complex(1, 2), 3, i }, { 0, -i, 2 } }, A:to_table())
  end)

  it("is added, subtracted and multiplied, with real ones and scalars too", function()
    local R = Matrix.from_table { { 1, 0 }, { 2, 1 }, { 0, 1 } }
    assert.close_arrays({ { complex(7, 2), complex(3, 1) }, { complex(0, -2), complex(2, -1) } },
      A * R)
    assert.close_arrays({ { complex(2, 4), 6, 2 * i }, { 0, -2 * i, 4 } }, A + A)
    assert.close_arrays(A * 0, A - A)
    assert.close_arrays({ { complex(-2, 1), 3 * i, -1 }, { 0, 1, 2 * i } }, i * A)
    assert.close_arrays(i * A, A * i)
    assert.close_arrays({ { i, 0 }, { 2 * i, i }, { 0, i } }, R * i)
    assert.is_false(R.is_complex)
    assert.close_arrays(real_form(A:H() * A), real_form(A):T() * real_form(A), 1e-14)
    assert.close_arrays(A:T() + (R - R), R * Matrix.zeros(2, 2) + A:T())
    raises("cannot multiply matrices of 2 x 3 and 2 x 3", function() return A * A end)
    raises("cannot add matrices of 2 x 3 and 3 x 2", function() return A + R end)
  end)

  it("is a linear combination with real and complex coefficients", function()
    local R = Matrix.from_table { { 1, 0 }, { 0, 2 } }
    local Z = Matrix.from_table { { i, 0 }, { 1, 0 } }
    assert.close_arrays({ { complex(2, 3), 0 }, { 3, 4 } }, Matrix.lincomb({ 2, 3 }, { R, Z }))
    assert.close_arrays({ { complex(-1, 0) + i, 0 }, { i, 2 * i } },
      Matrix.lincomb({ i, i }, { R, Z }))
    assert.close_arrays({ { i, 0 }, { 0, 2 * i } }, Matrix.lincomb({ i }, { R }))
    assert.is_false(Matrix.lincomb({ 1 }, { R }).is_complex)
    raises("entry 2: Matrix of 2 x 2 expected, got 2 x 3", Matrix.lincomb, { i, 1 }, { R, A })
  end)

  it("shows its numbers", function()
    assert.equal("Matrix 2 x 3, complex\n  1+2i  3+0i  0+1i\n  0+0i  0-1i  2+0i",
      tostring(A))
  end)

  it("solves, with right-hand sides of every kind, real and complex", function()
    for _, n in ipairs { 1, 2, 10, 60 } do
      local M, B = random(n, n, 1) + 3 * Matrix.identity(n), random(n, 3, 2)
      local bound = tolerance(n)
      assert.close_arrays(B, M * M:solve(B), bound)
      assert.close_arrays(B:real(), M * M:solve(B:real()), bound)
      assert.close_arrays(B, M:real() * M:real():solve(B), bound)
      assert.close_arrays(B, M:H() * M:solve_adjoint(B), bound)
      assert.close_arrays(B, M:real():T() * M:real():solve_adjoint(B), bound)
      local F = M:lu()
      assert.close_arrays(M:solve(B), F:solve(B))
      assert.close_arrays(M:solve_adjoint(B), F:solve_adjoint(B))
      local U = VectorArray.random(n, 2, { complex = true, seed = 3 })
      assert.close_arrays(U, M:apply(M:apply_inverse(U)), bound)
      assert.close_arrays(U, M:apply_adjoint(M:apply_inverse_adjoint(U)), bound)
      assert.close_arrays(U:to_table()[1], M:apply(VectorArray.from_table {
        F:solve(U:to_table()[1]) }), bound)
      local real = M:real():lu()
      assert.close_arrays(M:real():solve(B), real:solve(B))
      assert.is_true(real:solve(B).is_complex)
      assert.is_false(real:solve(B:real()).is_complex)
    end
    assert.equal("LU factorisation 2 x 2, complex", tostring(Matrix.diag({ 1, i }):lu()))
    assert.equal(0, #Matrix.zeros(0, 0, { complex = true }):solve({}))
    raises("Matrix is singular: pivot 2 is 0", function()
      return Matrix.from_table({ { i, 2 * i }, { 1, 2 } }):solve { 1, 2 }
    end)
    raises("list of 2 numbers expected, got 1", function() Matrix.diag({ 1, i }):solve { i } end)
    raises("square Matrix expected, got 2 x 3", function() A:solve { 1, 2 } end)
  end)

  it("has a Cholesky factorisation when it is Hermitian and positive definite", function()
    local M = random(8, 8, 4)
    local P, B = M:H() * M + Matrix.identity(8), random(8, 2, 5)
    local F = P:cholesky()
    assert.close_arrays(B, P * F:solve(B), tolerance(8))
    assert.close_arrays(B:real(), P * F:solve(B:real()), tolerance(8))
    assert.equal("Cholesky factorisation 8 x 8, complex", tostring(F))
    raises("Matrix is not Hermitian: entry (1, 2) is 0+1i, entry (2, 1) is 0+1i", function()
      return Matrix.from_table({ { 2, i }, { i, 2 } }):cholesky()
    end)
    raises("Matrix is not Hermitian: entry (2, 2) is 2+1i, not real", function()
      return Matrix.diag({ 2, complex(2, 1) }):cholesky()
    end)
    raises("Matrix is not positive definite: pivot 2 is not positive", function()
      return Matrix.from_table({ { 1, 2 * i }, { -2 * i, 1 } }):cholesky()
    end)
  end)

  it("has a determinant", function()
    assert.equal(complex(0, 2), Matrix.diag({ 2, i }):det())
    local swapped = Matrix.from_table { { 0, i }, { 2, 0 } }
    assert.equal(complex(0, -2), swapped:det())
    assert.equal(complex(0), Matrix.from_table({ { i, i }, { i, i } }):det())
    local d = Matrix.diag({ 1e200 * i, 1e200, 1e-300 }):det()
    assert.is_true(d.re == 0 and math.abs(d.im - 1e100) < 1e87)
    local M = random(5, 5, 6)
    assert.near(M:det():abs() ^ 2, real_form(M):det(), 1e-10 * M:det():abs() ^ 2)
  end)

  it("has QR factorisations", function()
    for _, shape in ipairs { { 5, 3 }, { 3, 5 }, { 4, 4 }, { 1, 1 }, { 0, 3 }, { 3, 0 } } do
      local M = random(shape[1], shape[2], 7)
      local bound = tolerance(5)
      local Q, R = M:qr()
      assert.is_true(Q.is_complex and R.is_complex)
      assert.close_arrays(M, Q * R, bound)
      assert.close_arrays(Matrix.identity(Q.cols), Q:H() * Q, bound)
      local p
      Q, R, p = M:qr { pivoting = true }
      assert.close_arrays(Matrix.identity(Q.cols), Q:H() * Q, bound)
      local permuted = Q * R
      for c = 1, M.cols do
        for r = 1, M.rows do
          assert.near(0, (permuted:get(r, c) - M:get(r, p[c])):abs(), bound)
        end
        for r = c + 1, R.rows do assert.equal(complex(0), R:get(r, c)) end
      end
    end
  end)

  it("has a singular value decomposition; norm, cond and pinv follow", function()
    for _, shape in ipairs { { 5, 3 }, { 3, 5 }, { 4, 4 } } do
      local M = random(shape[1], shape[2], 8)
      local U, s, Vh = M:svd()
      assert.close_arrays(M, U * Matrix.diag(s) * Vh, tolerance(5))
      assert.close_arrays(Matrix.identity(#s), U:H() * U, tolerance(5))
      assert.close_arrays(Matrix.identity(#s), Vh * Vh:H(), tolerance(5))
      local _, doubled = real_form(M):svd()
      for k = 1, #s do assert.near(doubled[2 * k], s[k], tolerance(5)) end
      assert.near(s[1], M:norm("2"), tolerance(5))
      assert.near(s[1] / s[#s], M:cond(), 1e-12 * M:cond())
      local P = M:pinv()
      assert.close_arrays(M, M * P * M, tolerance(5))
      assert.close_arrays((M * P):H(), M * P, tolerance(5))
      assert.close_arrays((P * M):H(), P * M, tolerance(5))
    end
    assert.same({}, (select(2, Matrix.zeros(0, 3, { complex = true }):svd())))
  end)

  it("has one of every shape, reading nothing behind its entries", function() -- as ASan can tell
    for m = 1, 14 do
      for n = 1, 14 do
        local M = random(m, n, m + 20 * n)
        local U, s, Vt = M:svd()
        local k = math.min(m, n)
        assert.is_true((M - U * Matrix.diag(s) * Vt):norm() < tolerance(14))
        assert.is_true((U:H() * U - Matrix.identity(k)):norm() < tolerance(14))
        assert.is_true((Vt * Vt:H() - Matrix.identity(k)):norm() < tolerance(14))
        assert.near(s[1], M:norm "2", tolerance(14))
        assert.is_true((M * M:lstsq(Matrix.identity(m)) * M - M):norm() < 1e-9)
      end
    end
  end)

  it("has norms by modulus", function()
    local M = Matrix.from_table { { complex(3, 4), 0 }, { complex(0, -2), 1 } }
    assert.near(math.sqrt(30), M:norm(), 1e-15)
    assert.equal(7, M:norm("1"))
    assert.equal(5, M:norm("inf"))
    assert.equal(0, Matrix.zeros(0, 0, { complex = true }):norm())
  end)

  it("solves Hermitian eigenproblems, generalised ones too", function()
    local M, N = random(6, 6, 9), random(6, 6, 10)
    local H, B = M + M:H(), N:H() * N + Matrix.identity(6)
    local w, X = H:eigh()
    assert.close_arrays(H * X, X * Matrix.diag(w), tolerance(6))
    assert.close_arrays(Matrix.identity(6), X:H() * X, tolerance(6))
    for k = 2, 6 do assert.is_true(w[k - 1] <= w[k]) end
    w, X = H:eigh(B)
    assert.close_arrays(H * X, B * X * Matrix.diag(w), 10 * tolerance(6))
    assert.close_arrays(Matrix.identity(6), X:H() * B * X, 10 * tolerance(6))
    local S = H:real()
    for _, pair in ipairs { { S, B }, { H, B:real() + Matrix.identity(6) } } do
      w, X = pair[1]:eigh(pair[2])
      assert.close_arrays(pair[1] * X, pair[2] * X * Matrix.diag(w), 10 * tolerance(6))
    end
    assert.same({ -1, 1 }, (Matrix.from_table({ { 0, i }, { -i, 0 } }):eigh()))
    raises("Matrix is not Hermitian", function() return M:eigh() end)
    raises("Matrix of 6 x 6 expected, got 2 x 2", H.eigh, H, Matrix.identity(2, { complex = true }))
    raises("pivot 2 is not positive", function()
      return Matrix.identity(2):eigh(Matrix.from_table { { 1, 2 * i }, { -2 * i, 1 } })
    end)
  end)

  it("solves eigenproblems; those of a real Matrix may be complex", function()
    local w, X = Matrix.from_table({ { 0, -1 }, { 1, 0 } }):eig()
    assert.same({ i, -i }, w)
    assert.is_true(X.is_complex)
    for _, M in ipairs { random(7, 7, 11), random(7, 7, 12):real(), random(1, 1, 1) } do
      w, X = M:eig()
      assert.close_arrays(M * X, X * Matrix.diag(w), tolerance(7))
      for c = 1, M.cols do
        local column = VectorArray.from_table { X:col(c) }
        assert.near(1, column:norm()[1], tolerance(7))
      end
    end
    assert.same({ 2, 3 }, (Matrix.from_table({ { 2, 1 }, { 0, 3 } }):eig()))
    assert.same({}, (Matrix.zeros(0, 0, { complex = true }):eig()))
    raises("entry (1, 1) of the Matrix is NaN", function()
      return Matrix.diag({ complex(0, nan) }):eig()
    end)
  end)

  it("solves least squares problems", function()
    for _, shape in ipairs { { 6, 3 }, { 3, 6 } } do
      local M, B = random(shape[1], shape[2], 13), random(shape[1], 2, 14)
      assert.close_arrays(M:pinv() * B, M:lstsq(B), tolerance(6))
      assert.close_arrays(M:pinv() * B:real(), M:lstsq(B:real()), tolerance(6))
      assert.close_arrays(M:real():pinv() * B, M:real():lstsq(B), tolerance(6))
    end
    local x = Matrix.from_table({ { 1 }, { i } }):lstsq { 1, i }
    assert.near(0, (x[1] - 1):abs(), 1e-15)
    raises("entry 2 is NaN", A.lstsq, A, { 1, complex(0, nan) })
  end)

  it("applies to real and complex vectors, and is a product", function()
    local M = random(4, 3, 15)
    local U = VectorArray.random(3, 2, { complex = true, seed = 1 })
    local V = VectorArray.random(4, 2, { complex = true, seed = 2 })
    for _, N in ipairs { M, M:real() } do
      for _, u in ipairs { U, U:real(), U[{ 2, 1, 2 }] } do
        local expected = N * u:dofs { 1, 2, 3 }
        assert.close_arrays(expected, N:apply(u):dofs { 1, 2, 3, 4 }, 1e-15)
        assert.equal(expected.is_complex, N:apply(u).is_complex)
      end
      for _, v in ipairs { V, V:real() } do
        assert.close_arrays(N:H() * v:dofs { 1, 2, 3, 4 },
          N:apply_adjoint(v):dofs { 1, 2, 3 }, 1e-15)
        assert.close_arrays(v:inner(N:apply(U)), N:apply2(v, U), 1e-15)
        assert.close_arrays(v:pairwise_inner(N:apply(U)), N:pairwise_apply2(v, U), 1e-15)
      end
    end
    raises("dimension 3 expected, got 4", M.apply, M, V)
  end)

  it("crosses the wire, frozen or not", function()
    for _, M in ipairs { A, Matrix.zeros(0, 3, { complex = true }), random(30, 30, 1) } do
      local arrived = wire.decode(wire.encode(M))
      assert.is_true(arrived.is_complex)
      assert.close_arrays(M, arrived)
    end
    assert.is_true(wire.decode(wire.encode(A:copy():freeze())).is_frozen)
  end)

  it("is refused where real numbers are needed", function()
    local array = require "host.array"
    raises("item 1: Matrix of real numbers expected, got complex ones", array.affine,
      { Matrix.identity(2, { complex = true }) }, { Matrix.zeros(2, 1) })
  end)
end)
