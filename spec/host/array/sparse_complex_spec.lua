require "spec.support.arrays"
local neap = require "neap"
local wire = require "host.wire"
local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
local complex = neap.complex

local nan = 0 / 0
local i = complex(0, 1)

local function raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

--- A matrix with entries in one place of three, both parts in [-1, 1), and a strong diagonal.
local function random(m, n, seed)
  math.randomseed(seed)
  local rows, cols, values = {}, {}, {}
  for r = 1, m do
    for c = 1, n do
      if r == c or math.random(3) == 1 then
        rows[#rows + 1], cols[#cols + 1] = r, c
        values[#values + 1] = complex(2 * math.random() - 1, 2 * math.random() - 1)
          + (r == c and n or 0)
      end
    end
  end
  return SparseMatrix.from_triplets(m, n, rows, cols, values)
end

describe("complex SparseMatrix", function()
  local A, R
  before_each(function()
    A = SparseMatrix.from_triplets(2, 3, { 1, 2, 1, 1 }, { 1, 3, 2, 1 },
      { i, 2, complex(0, -3), 1 })
    R = SparseMatrix.from_triplets(2, 3, { 1, 2 }, { 1, 2 }, { 5, 6 })
  end)

  it("is made where a value is complex; duplicates add up", function()
    assert.is_true(A.is_complex)
    assert.is_false(R.is_complex)
    assert.equal("SparseMatrix 2 x 3, complex, 3 entries", tostring(A))
    assert.close_arrays({ { complex(1, 1), complex(0, -3), 0 }, { 0, 0, 2 } }, A:to_matrix())
    assert.equal(complex(1, 1), A:get(1, 1))
    assert.equal(complex(0), A:get(2, 1))
    assert.same({ complex(1, 1), complex(0) }, A:diagonal())
    local rows, cols, values = A:triplets()
    assert.same({ { 1, 1, 2 }, { 1, 2, 3 } }, { rows, cols })
    assert.same({ complex(1, 1), complex(0, -3), complex(2) }, values)
    raises("entry 2: number expected, got string", SparseMatrix.from_triplets, 1, 2, { 1, 1 },
      { 1, 2 }, { i, "x" })
  end)

  it("has parts of the same pattern, conjugate, transpose and adjoint", function()
    assert.close_arrays({ { 1, 0, 0 }, { 0, 0, 2 } }, A:real():to_matrix())
    assert.close_arrays({ { 1, -3, 0 }, { 0, 0, 0 } }, A:imag():to_matrix())
    assert.equal(3, A:imag().nnz)
    assert.equal(R, R:real())
    assert.equal(R, R:conj())
    assert.close_arrays({ { 0, 0, 0 }, { 0, 0, 0 } }, R:imag():to_matrix())
    assert.close_arrays(A:to_matrix():T(), A:T():to_matrix())
    assert.close_arrays(A:to_matrix():H(), A:H():to_matrix())
    assert.close_arrays(A:to_matrix():conj(), A:conj():to_matrix())
    assert.close_arrays(R:to_matrix():T(), R:H():to_matrix())
    local S = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 2, 1 }, { i, i })
    assert.equal(S, S:T())
    assert.close_arrays({ { 0, -i }, { -i, 0 } }, S:H():to_matrix())
  end)

  it("is combined with real ones and scalars", function()
    local a, r = A:to_matrix(), R:to_matrix()
    assert.close_arrays(a + r, (A + R):to_matrix())
    assert.close_arrays(r - a, (R - A):to_matrix())
    assert.close_arrays(i * r, (i * R):to_matrix())
    assert.close_arrays(a * complex(1, 1), (A * complex(1, 1)):to_matrix())
    assert.close_arrays(a * 3, (3 * A):to_matrix())
    assert.close_arrays(a * (1 / i), (A / i):to_matrix())
    assert.close_arrays(a * 0.5, (A / 2):to_matrix())
    assert.close_arrays(-a, (-A):to_matrix())
    assert.close_arrays(Matrix.lincomb({ 2, i }, { a, r }),
      SparseMatrix.lincomb({ 2, i }, { A, R }):to_matrix())
    assert.close_arrays(Matrix.lincomb({ 2, 3 }, { r, a }),
      SparseMatrix.lincomb({ 2, 3 }, { R, A }):to_matrix())
    assert.close_arrays(Matrix.lincomb({ i, i }, { r, r }),
      SparseMatrix.lincomb({ i, i }, { R, R }):to_matrix())
    local null = SparseMatrix.from_triplets(2, 3, { 1 }, { 1 }, { complex(3, 4) })
    assert.close_arrays(a, SparseMatrix.lincomb({ 1, complex(0) }, { A, null }):to_matrix())
    assert.is_false(SparseMatrix.lincomb({ 1 }, { R }).is_complex)
    raises("matrices[2]: 2 x 3 expected, got 3 x 2", SparseMatrix.lincomb, { 1, i }, { A, A:T() })
  end)

  it("is multiplied by sparse and dense matrices", function()
    local a, r = A:to_matrix(), R:to_matrix()
    assert.close_arrays(a * r:T(), (A * R:T()):to_matrix())
    assert.close_arrays(r * a:T(), (R * A:T()):to_matrix())
    assert.close_arrays(a * a:H(), (A * A:H()):to_matrix())
    local M = Matrix.from_table { { 1, i }, { 2, 0 }, { 3, -i } }
    assert.close_arrays(a * M, A * M)
    assert.close_arrays(r * M, R * M)
    assert.close_arrays(a * M:real(), A * M:real())
    local P = A * M
    P:set(1, 1, 7) -- its own memory
    assert.close_arrays(a * M, A * M)
  end)

  it("applies to real and complex vectors, and is a product", function()
    local S = random(20, 20, 1)
    local symmetric = S + S:T()
    for _, B in ipairs { S, symmetric, S:real(), random(15, 20, 2) } do
      local U = VectorArray.random(B.cols, 5, { complex = true, seed = 1, low = -1 })
      local V = VectorArray.random(B.rows, 5, { complex = true, seed = 2, low = -1 })
      local M = B:to_matrix()
      for _ = 1, 2 do -- from the second use on symmetric matrices gather
        for _, u in ipairs { U, U:real(), U:slice(5, 1, -2), U[{}] } do
          assert.close_arrays(M:apply(u), B:apply(u), 1e-13)
          assert.equal(M:apply(u).is_complex, B:apply(u).is_complex)
        end
        for _, v in ipairs { V, V:real() } do
          assert.close_arrays(M:apply_adjoint(v), B:apply_adjoint(v), 1e-13)
          assert.close_arrays(M:apply2(v, U), B:apply2(v, U), 1e-12)
          assert.close_arrays(M:pairwise_apply2(v, U), B:pairwise_apply2(v, U), 1e-12)
        end
      end
    end
    assert.close_arrays(A:apply(VectorArray.ones(3, 1)), A * VectorArray.ones(3, 1))
  end)

  it("solves shifted systems", function()
    local n = 30
    local rows, cols, values = {}, {}, {}
    for k = 1, n do
      for c = math.max(1, k - 1), math.min(n, k + 1) do
        rows[#rows + 1], cols[#cols + 1], values[#values + 1] = k, c, k == c and 2 or -1
      end
    end
    local L = SparseMatrix.from_triplets(n, n, rows, cols, values)
    local E = SparseMatrix.from_triplets(n, n, { 1 }, { 1 }, { 1 }) * 0
    for k = 1, n do E = E + SparseMatrix.from_triplets(n, n, { k }, { k }, { 1 }) end
    local U = VectorArray.random(n, 3, { seed = 1, complex = true })
    for step = 1, 4 do
      local shifted = SparseMatrix.lincomb({ complex(0, step), 1 }, { E, L })
      for _, u in ipairs { U, U:real(), U[{ 3, 1 }] } do
        local residual = shifted:apply(shifted:apply_inverse(u)) - u
        assert.is_true(residual:sup_norm()[1] < 1e-13)
        residual = shifted:apply_adjoint(shifted:apply_inverse_adjoint(u)) - u
        assert.is_true(residual:sup_norm()[1] < 1e-13)
      end
      assert.close_arrays(shifted:to_matrix():apply_inverse(U), shifted:apply_inverse(U), 1e-13)
    end
    -- Real factors take complex right-hand sides, Cholesky's and LU.
    for _, M in ipairs { L, random(n, n, 3):real() } do
      local dense = M:to_matrix()
      local bound = 30 * 2 ^ -52 * dense:cond() * dense:apply_inverse(U):norm()[1]
      assert.close_arrays(dense:apply_inverse(U), M:apply_inverse(U), bound)
      assert.close_arrays(dense:apply_inverse_adjoint(U), M:apply_inverse_adjoint(U), bound)
    end
    assert.equal(0, #random(3, 3, 1):apply_inverse(VectorArray.empty(3)))
  end)

  -- tridiag(-1, 2, -1) with phases: D* L D with a diagonal D of modulus 1, so Hermitian positive
  -- definite with the known eigenvalues of L.
  local function phased(n, shift)
    local rows, cols, values = {}, {}, {}
    local function phase(k) return complex(math.cos(k * k), math.sin(k * k)) end
    for k = 1, n do
      for c = math.max(1, k - 1), math.min(n, k + 1) do
        rows[#rows + 1], cols[#cols + 1] = k, c
        values[#values + 1] = k == c and complex(2 + shift) or -(phase(k):conj() * phase(c))
      end
    end
    return SparseMatrix.from_triplets(n, n, rows, cols, values)
  end

  it("is solved with by Cholesky's method when it is Hermitian positive definite, else by LU",
    function()
      local n = 40
      local U = VectorArray.random(n, 3, { seed = 1, complex = true, low = -1 })
      -- The smallest eigenvalue is 2 - 2 cos(pi / 41) = 0.0059, plus the shift.
      for _, shift in ipairs { 0, 1, -0.02, -2 } do
        local A_, dense = phased(n, shift), phased(n, shift):to_matrix()
        assert.equal(A_, A_:H())
        assert.is_true(A_:H() ~= A_:T())
        local bound = 40 * 2 ^ -52 * dense:cond() * dense:apply_inverse(U):norm()[1]
        for _, u in ipairs { U, U:real(), U[{ 3, 1 }], U[{}] } do
          assert.close_arrays(dense:apply_inverse(u), A_:apply_inverse(u), bound)
          assert.close_arrays(dense:apply_inverse(u), A_:apply_inverse_adjoint(u), bound)
        end
      end
      -- A factor of the same pattern leaves its memory to the next, real or complex.
      for shift = 1, 3 do
        local A_ = phased(n, shift)
        local R_ = A_:real()
        assert.is_true((A_:apply(A_:apply_inverse(U)) - U):sup_norm()[1] < 1e-13)
        assert.is_true((R_:apply(R_:apply_inverse(U)) - U):sup_norm()[1] < 1e-13)
        collectgarbage()
      end
    end)

  it("is Hermitian only when it is so exactly", function()
    local H = SparseMatrix.from_triplets(2, 2, { 1, 2, 1, 2 }, { 1, 1, 2, 2 }, { 2, i, -i, 2 })
    assert.equal(H, H:H())
    for _, values in ipairs { { 2, i, i, 2 }, { complex(2, 1e-300), i, -i, 2 },
                              { 2, i, complex(1e-300, -1), 2 }, { 2, complex(0, nan), i, 2 } } do
      local N = SparseMatrix.from_triplets(2, 2, { 1, 2, 1, 2 }, { 1, 1, 2, 2 }, values)
      assert.is_true(N ~= N:H())
    end
    local U = VectorArray.from_table { { 1, i }, { 3, complex(1, 1) } }
    local first = H:apply(U)
    for _ = 1, 2 do assert.same(first:to_table(), H:apply(U):to_table()) end
  end)

  it("is a product when it is Hermitian", function()
    local H = phased(12, 1)
    local dense = H:to_matrix()
    local U = VectorArray.random(12, 4, { seed = 1, complex = true, low = -1 })
    local V = VectorArray.random(12, 4, { seed = 2, low = -1 })
    assert.close_arrays(dense:apply2(U, V), U:inner(V, H), 1e-13)
    assert.close_arrays(U:inner(V, H):H(), V:inner(U, H), 1e-13)
    local gramian = U:gramian(H)
    assert.close_arrays(gramian, gramian:H(), 1e-13)
    local norms, squares = U:norm(H), U:norm2(H)
    for j = 1, 4 do
      assert.equal("number", type(norms[j]))
      assert.near(gramian:get(j, j).re, squares[j], 1e-13)
      assert.near(squares[j], norms[j] ^ 2, 1e-13)
    end
    assert.close_arrays(dense:pairwise_apply2(V, U), V:pairwise_inner(U, H), 1e-13)
    assert.is_true(U:almost_equal(U * complex(1, 1e-15), { product = H }))
    raises("the product is not Hermitian", U.norm, U, i * H)
    raises("the product is not positive semidefinite", U.norm, U, -H)
  end)

  it("names what is wrong when it cannot be factorised", function()
    raises("matrix is singular: the pivot of column", function()
      SparseMatrix.from_triplets(2, 2, { 1, 1, 2, 2 }, { 1, 2, 1, 2 }, { i, i, i, i }):factorize()
    end)
    raises("square matrix expected, got 2 x 3", A.factorize, A)
    for text, z in pairs { NaN = complex(0, nan), infinite = complex(1 / 0, 1) } do
      raises("entry (1, 1) of the SparseMatrix is " .. text, function()
        SparseMatrix.from_triplets(1, 1, { 1 }, { 1 }, { z }):factorize()
      end)
    end
  end)

  it("may have very many more rows than entries", function()
    local T = SparseMatrix.from_triplets(1 << 40, 2, { 1 << 40, 3, 1, 3 }, { 1, 2, 1, 2 },
      { 1, 2, 3, i })
    local rows, cols, values = T:triplets()
    assert.same({ { 1, 1 << 40, 3 }, { 1, 1, 2 } }, { rows, cols })
    assert.same({ complex(3), complex(1), 2 + i }, values)
  end)

  it("has norms by modulus", function()
    local S = SparseMatrix.from_triplets(2, 2, { 1, 2, 2 }, { 1, 1, 2 },
      { complex(3, 4), -2 * i, 1 })
    assert.near(math.sqrt(30), S:norm(), 1e-15)
    assert.equal(7, S:norm("1"))
    assert.equal(5, S:norm("inf"))
  end)

  it("crosses the wire", function()
    for _, B in ipairs { A, random(40, 40, 5) } do
      local arrived, again = wire.decode(wire.encode(B, B))
      assert.is_true(arrived.is_complex)
      assert.close_arrays(B:to_matrix(), arrived:to_matrix())
      assert.equal(arrived, again)
    end
  end)

  it("solves on workers, also inside an operator and an immutable", function()
    local ops = require "neap.operators"
    local U = VectorArray.random(300, 2, { seed = 1, complex = true })
    local A_ = phased(300, 1)
    local expected = A_:apply_inverse(U)
    for _, workers in ipairs { 0, 2 } do
      local pool <close> = neap.pool { workers = workers }
      local box = neap.immutable { operator = ops.MatrixOperator(A_), shift = complex(0, 2) }
      local remote = pool:push(box)
      local solutions = pool:map(function(_, kw)
        local op = kw.box.operator
        assert(op.matrix:H() == op.matrix and kw.box.shift == complex(0, 2))
        return op:apply_inverse(U)
      end, { 1, 2, 3 }, neap.kw { box = remote })
      for k = 1, 3 do assert.close_arrays(expected, solutions[k]) end
    end
  end)

  it("gives the transfer function of a system at imaginary points", function()
    -- x' = -L x + b u, y = b^T x with L = tridiag(-1, 2, -1): its eigenvalues are known.
    local n = 20
    local rows, cols, values, unit = {}, {}, {}, {}
    for k = 1, n do
      unit[k] = k
      for c = math.max(1, k - 1), math.min(n, k + 1) do
        rows[#rows + 1], cols[#cols + 1], values[#values + 1] = k, c, k == c and 2 or -1
      end
    end
    local L = SparseMatrix.from_triplets(n, n, rows, cols, values)
    local ones = {}
    for k = 1, n do ones[k] = 1 end
    local E = SparseMatrix.from_triplets(n, n, unit, unit, ones)
    local b = VectorArray.from_function(n, 1, function(k) return k == 1 and 1 or 0 end)
    for _, omega in ipairs { 0.1, 1, 10 } do
      local s, expected = complex(0, omega), complex(0)
      for k = 1, n do
        local angle = k * math.pi / (n + 1)
        expected = expected + 2 / (n + 1) * math.sin(angle) ^ 2 / (s + 2 - 2 * math.cos(angle))
      end
      local H = b:inner((s * E + L):apply_inverse(b)):get(1, 1)
      assert.near(0, (H - expected):abs(), 1e-14)
    end
  end)
end)
