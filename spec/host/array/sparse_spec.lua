local neap = require "neap"
local SparseMatrix, VectorArray, Matrix = neap.SparseMatrix, neap.VectorArray, neap.Matrix

-- 3 x 4, one row and one column empty.
local function example()
  return SparseMatrix.from_triplets(3, 4, { 3, 1, 1, 3 }, { 1, 2, 4, 4 }, { 5, 2, -1, 4 })
end

local function random_matrix(m, n, nnz, seed)
  local rows, cols, values = {}, {}, {}
  math.randomseed(seed)
  for k = 1, nnz do
    rows[k], cols[k], values[k] = math.random(m), math.random(n), math.random() - 0.5
  end
  return SparseMatrix.from_triplets(m, n, rows, cols, values)
end

describe("SparseMatrix.from_triplets", function()
  it("puts entries in their places, whatever their order", function()
    local A = example()
    assert.equal(3, A.rows)
    assert.equal(4, A.cols)
    assert.equal(4, A.nnz)
    assert.same({ { 0, 2, 0, -1 }, { 0, 0, 0, 0 }, { 5, 0, 0, 4 } }, A:to_matrix():to_table())
  end)

  it("adds duplicates in the order in which they come", function()
    local rows, cols = { 2, 1, 2, 2 }, { 1, 1, 1, 1 }
    local A = SparseMatrix.from_triplets(2, 2, rows, cols, { 1e16, 3, 1, -1e16 })
    assert.equal(2, A.nnz)
    assert.equal((1e16 + 1) - 1e16, A:get(2, 1))
  end)

  it("keeps entries that are zero", function()
    local A = SparseMatrix.from_triplets(2, 2, { 1, 2, 2 }, { 1, 2, 2 }, { 0, 1, -1 })
    assert.equal(2, A.nnz)
    assert.same({ 0, 0 }, A:diagonal())
  end)

  it("makes matrices without entries, rows or columns", function()
    for _, shape in ipairs { { 0, 0 }, { 3, 0 }, { 0, 3 }, { 2, 3 } } do
      local A = SparseMatrix.from_triplets(shape[1], shape[2], {}, {}, {})
      assert.equal(0, A.nnz)
      local V = A:apply(VectorArray.ones(shape[2], 2))
      assert.equal(shape[1], V.dim)
      assert.equal(2, #V)
      assert.equal(0, A:norm())
      assert.same({ {}, {}, {} }, { A:triplets() })
    end
  end)

  it("names the argument that does not fit", function()
    local function message(...)
      local ok, why = pcall(SparseMatrix.from_triplets, ...)
      assert.is_false(ok)
      return why
    end
    assert.matches("#1.*rows: at least 0 expected, got %-1", message(-1, 2, {}, {}, {}))
    assert.matches("#2.*number expected, got string", message(1, "x", {}, {}, {}))
    assert.matches("#3.*index 3 out of range 1..2", message(2, 2, { 1, 3 }, { 1, 1 }, { 1, 1 }))
    assert.matches("#3.*index 0 out of range 1..2", message(2, 2, { 0 }, { 1 }, { 1 }))
    assert.matches("#4.*list of 2 column indices expected, got 1",
      message(2, 2, { 1, 2 }, { 1 }, {}))
    assert.matches("#5.*list of 1 numbers expected, got 0", message(2, 2, { 1 }, { 1 }, {}))
    assert.matches("#5.*entry 1: number expected, got boolean",
      message(2, 2, { 1 }, { 1 }, { true }))
    assert.matches("#1.*too many rows", message(math.maxinteger, 2, {}, {}, {}))
  end)
end)

describe("SparseMatrix", function()
  it("tells its triplets, entries and diagonal", function()
    local A = example()
    local rows, cols, values = A:triplets()
    assert.same({ 3, 1, 1, 3 }, rows)
    assert.same({ 1, 2, 4, 4 }, cols)
    assert.same({ 5, 2, -1, 4 }, values)
    assert.equal(-1, A:get(1, 4))
    assert.equal(0, A:get(2, 2))
    assert.same({ 0, 0, 0 }, A:diagonal())
    assert.has_error(function() A:get(4, 1) end,
      "bad argument #1 to 'get' (index 4 out of range 1..3)")
  end)

  it("is immutable and says what it is", function()
    local A = example()
    assert.equal("SparseMatrix 3 x 4, 4 entries", tostring(A))
    assert.equal(A, A:freeze())
    assert.error_matches(function() A.rows = 5 end, "SparseMatrix is immutable: field 'rows'")
  end)

  it("applies to vectors as its dense matrix does", function()
    local A = random_matrix(17, 11, 60, 1)
    local D = A:to_matrix()
    for _, len in ipairs { 0, 1, 3, 4, 9 } do
      local U = VectorArray.random(11, len, { seed = len + 1 })
      local V = VectorArray.random(17, len, { seed = len + 2 })
      local tolerance = { atol = 1e-15, rtol = 1e-14 } -- sums of at most 17 terms below 1
      assert.is_true(A:apply(U):almost_equal(D:apply(U), tolerance))
      assert.is_true(A:apply_adjoint(V):almost_equal(D:apply_adjoint(V), tolerance))
      if len > 0 then
        assert.near(0, (A:apply2(V, U) - D:apply2(V, U)):norm(), 1e-13)
      end
      local pairwise = A:pairwise_apply2(V, U)
      assert.equal(len, #pairwise)
      for i = 1, len do assert.near(A:apply2(V, U):get(i, i), pairwise[i], 1e-14) end
    end
  end)

  it("applies to views", function()
    local A = random_matrix(5, 8, 20, 2)
    local U = VectorArray.random(8, 6, { seed = 3 })
    local V = A:apply(U)
    for _, indices in ipairs { { 2, 4, 6 }, { 6, 1, 1 }, { 3 } } do
      assert.is_true(A:apply(U[indices]):almost_equal(V[indices], { atol = 0, rtol = 0 }))
    end
  end)

  it("gives a vector the same bits whatever stands beside it", function()
    local A = random_matrix(40, 40, 300, 4)
    local S = A + A:T()
    local U = VectorArray.random(40, 9, { seed = 5 })
    for _, B in ipairs { A, S } do
      for _ = 1, 2 do -- from the second time on, symmetric matrices take another way
        local V, W = B:apply(U), B:apply_adjoint(U)
        for i = 1, #U do
          assert.is_true(B:apply(U[i]):almost_equal(V[i], { atol = 0, rtol = 0 }))
          assert.is_true(B:apply_adjoint(U[i]):almost_equal(W[i], { atol = 0, rtol = 0 }))
        end
      end
    end
  end)

  it("transposes; a symmetric one is its own", function()
    local A = example()
    assert.same(A:to_matrix():T():to_table(), A:T():to_matrix():to_table())
    local S = SparseMatrix.from_triplets(2, 2, { 1, 2, 2 }, { 2, 1, 2 }, { 3, 3, 1 })
    assert.equal(S, S:T())
    local N = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 2, 1 }, { 3, 4 })
    assert.equal(4, N:T():get(1, 2))
  end)

  it("adds, subtracts, scales and multiplies", function()
    local A, B = random_matrix(6, 5, 12, 6), random_matrix(6, 5, 14, 7)
    local C = random_matrix(5, 7, 15, 8)
    local a, b, c = A:to_matrix(), B:to_matrix(), C:to_matrix()
    local function same(expected, actual)
      assert.near(0, (expected - actual):norm(), 1e-15)
    end
    same(a + b, (A + B):to_matrix())
    same(a - b, (A - B):to_matrix())
    same(-2.5 * a, (-2.5 * A):to_matrix())
    same(-2.5 * a, (A * -2.5):to_matrix())
    same(0.5 * a, (A / 2):to_matrix())
    same(-1 * a, (-A):to_matrix())
    same(a * c, (A * C):to_matrix())
    same(a * c, A * c)
    local U = VectorArray.random(5, 2, { seed = 9 })
    assert.is_true((A * U):almost_equal(A:apply(U)))
    assert.error_matches(function() return A + C end, "SparseMatrix: 6 x 5 expected, got 5 x 7")
    assert.error_matches(function() return A * B end, "dimension 5 expected, got 6")
    assert.error_matches(function() return A + 1 end,
      "SparseMatrix and number cannot be combined by add")
    local i = require "neap".complex(0, 1) -- without an identity
    for text, f in pairs {
      ["SparseMatrix and string cannot be combined by add"] = function() return A + "x" end,
      ["SparseMatrix and string cannot be combined by mul"] = function() return "2" * A end,
      ["SparseMatrix and string cannot be combined by div"] = function() return A / "2" end,
      ["SparseMatrix and neap.complex cannot be combined by sub"] = function() return i - A end,
      ["SparseMatrix and neap.complex cannot be combined by div"] = function() return i / A end,
      ["cannot combine a complex number and a neap.SparseMatrix by add"] = function()
        return A + i
      end,
    } do
      assert.error_matches(f, text, 1, true)
    end
  end)

  it("leaves sums with other objects to those", function()
    local other = setmetatable({}, { __add = function(x, y) return { x, y } end })
    local A = example()
    local pair = A + other
    assert.equal(A, pair[1])
    assert.equal(other, pair[2])
  end)

  it("has norms", function()
    local A = example()
    assert.near(math.sqrt(46), A:norm(), 1e-15)
    assert.equal(5, A:norm("1"))
    assert.equal(9, A:norm("inf"))
    assert.has_error(function() return A:norm("2") end,
      "bad argument #1 to 'norm' ('fro', '1' or 'inf' expected, got '2')")
    local N = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 0 / 0, 1 })
    for _, kind in ipairs { "fro", "1", "inf" } do
      local x = N:norm(kind)
      assert.is_true(x ~= x)
    end
  end)

  it("says both sizes when they do not fit", function()
    local A = example()
    local U = VectorArray.ones(5, 1)
    assert.has_error(function() return A:apply(U) end,
      "bad argument #1 to 'apply' (dimension 4 expected, got 5)")
    assert.has_error(function() return A:apply_adjoint(U) end,
      "bad argument #1 to 'apply_adjoint' (dimension 3 expected, got 5)")
    assert.has_error(function() return A:apply2(VectorArray.ones(3, 1), U) end,
      "bad argument #2 to 'apply2' (dimension 4 expected, got 5)")
    assert.has_error(function()
      return A:pairwise_apply2(VectorArray.ones(3, 2), VectorArray.ones(4, 1))
    end, "bad argument #2 to 'pairwise_apply2' (2 vectors expected, got 1)")
  end)

  it("serves as a product of VectorArrays", function()
    local A = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 4, 9 })
    assert.same({ 2, 3 }, VectorArray.from_table({ { 1, 0 }, { 0, 1 } }):norm(A))
  end)
end)

describe("SparseMatrix.lincomb", function()
  it("sums matrices of different patterns, time and again", function()
    local As, dense = {}, Matrix.zeros(9, 7)
    local coefficients = { 0.5, -2, 3, 1 }
    for q = 1, 4 do
      As[q] = random_matrix(9, 7, 5 * q, q)
      dense = dense + coefficients[q] * As[q]:to_matrix()
    end
    for _ = 1, 2 do
      local A = SparseMatrix.lincomb(coefficients, As)
      assert.near(0, (A:to_matrix() - dense):norm(), 1e-15)
    end
  end)

  it("keeps the union of the patterns also for coefficients that are zero", function()
    local A = SparseMatrix.from_triplets(2, 2, { 1 }, { 1 }, { 1 })
    local B = SparseMatrix.from_triplets(2, 2, { 2 }, { 2 }, { 3 })
    local C = SparseMatrix.lincomb({ 1, 0 }, { A, B })
    assert.equal(2, C.nnz)
    assert.same({ 1, 0 }, C:diagonal())
  end)

  it("multiplies by 0 as arithmetic does: NaN and infinity become NaN where they are", function()
    local A = SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 1, 2, 3 })
    for _, list in ipairs { { 0 / 0 }, { 1 / 0 } } do
      for _, B in ipairs { SparseMatrix.from_triplets(3, 3, { 2 }, { 2 }, list),
                           SparseMatrix.from_triplets(3, 3, { 2, 3 }, { 2, 1 }, { list[1], 1 }) } do
        for _, zero in ipairs { 0, 0.0, neap.complex(0, 0) } do
          local diagonal = SparseMatrix.lincomb({ 1, zero }, { A, B }):diagonal()
          local x = type(zero) == "number" and diagonal[2] or diagonal[2].re
          assert.is_true(x ~= x)
          for i, expected in pairs { [1] = 1, [3] = 3 } do
            local y = diagonal[i]
            assert.equal(expected, type(y) == "number" and y or y.re)
          end
        end
      end
    end
  end)

  it("takes one matrix, and one matrix twice", function()
    local A = example()
    assert.same({ 10, 4, -2, 8 }, (select(3, SparseMatrix.lincomb({ 2 }, { A }):triplets())))
    assert.same({ 5, 2, -1, 4 }, (select(3, SparseMatrix.lincomb({ 3, -2 }, { A, A }):triplets())))
  end)

  it("survives that patterns die and others take their place", function()
    for round = 1, 60 do
      local A, B = random_matrix(6, 6, 3 + round % 7, round), random_matrix(6, 6, 8, round + 100)
      local C = SparseMatrix.lincomb({ 1, 2 }, { A, B })
      assert.near(0, (C:to_matrix() - A:to_matrix() - 2 * B:to_matrix()):norm(), 1e-15)
      if round % 5 == 0 then collectgarbage() end
    end
  end)

  it("names what does not fit", function()
    local A, B = example(), random_matrix(2, 2, 3, 1)
    assert.error_matches(function() return SparseMatrix.lincomb({}, {}) end,
      "list of at least one SparseMatrix expected, got none")
    assert.error_matches(function() return SparseMatrix.lincomb({ 1 }, { A, A }) end,
      "list of 2 numbers expected, got 1")
    assert.error_matches(function() return SparseMatrix.lincomb({ 1, 1 }, { A, B }) end,
      "matrices%[2%]: 3 x 4 expected, got 2 x 2")
    assert.error_matches(function() return SparseMatrix.lincomb({ 1, 1 }, { A, {} }) end,
      "matrices%[2%]: SparseMatrix expected, got table")
    assert.error_matches(function()
      return SparseMatrix.lincomb({ 1 }, { VectorArray.ones(2, 2) })
    end, "matrices%[1%]: SparseMatrix expected, got neap.VectorArray")
  end)
end)
