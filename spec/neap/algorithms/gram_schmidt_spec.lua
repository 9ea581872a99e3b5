describe("gram_schmidt", function()
  local neap = require "neap"
  local gram_schmidt = require "neap.algorithms.gram_schmidt"
  local numbers = require "spec.support.numbers"
  local reference = require "spec.support.reference"
  local VectorArray = neap.VectorArray

  -- The largest |Q^T P Q - I|.
  local function deviation(Q, product)
    local G, worst = Q:gramian(product), 0
    for j = 1, #Q do
      for i = 1, #Q do worst = math.max(worst, math.abs(G:get(i, j) - (i == j and 1 or 0))) end
    end
    return worst
  end

  local data = reference.json "gram_schmidt/gram_schmidt.json"
  for _, case in ipairs(data.cases) do
    if type(case.input) == "string" then -- the others are complex
      it("keeps, removes and factorises as the reference does: " .. case.name, function()
        local A = reference.load("gram_schmidt/" .. case.input)
        local product = case.product and reference.load("gram_schmidt/" .. case.product)
        local before = A:to_table()
        local Q, R = gram_schmidt.gram_schmidt(A, { product = product, offset = case.offset })
        assert.same(before, A:to_table())
        assert.equal(#case.kept, #Q)
        assert.is_true(deviation(Q, product) <= 1e-13)

        -- Tolerances as spec/reference/README.md states them.
        local exact = reference.load("gram_schmidt/" .. case.R.file):to_table()
        local back = Q:lincomb(R)
        back:axpy(-1, A)
        local residuals, norms = back:norm(), A:norm()
        for j, column in ipairs(exact) do
          local largest = 0
          for _, r in ipairs(column) do largest = math.max(largest, math.abs(r)) end
          assert.close_lists(column, R:col(j), 0, 1e-12 * largest + 1e-300)
          assert.is_true(residuals[j] <= 1e-12 * norms[j] + 1e-13)
        end
        for i, j in ipairs(reference.from_zero(case.kept)) do
          assert.is_true(R:get(i, j) > 0)
        end
      end)
    end
  end

  it("goes through many panels, with vectors that depend on others far away", function()
    local A = VectorArray.random(60, 40, { seed = 5 })
    A:append(A:lincomb(neap.Matrix.from_table((function()
      local rows = {}
      for i = 1, 40 do rows[i] = { i % 3, 1 / i, i == 17 and 1 or 0 } end
      return rows
    end)())))
    A:append(VectorArray.random(60, 10, { seed = 6 }))
    local Q, R = gram_schmidt.gram_schmidt(A)
    assert.equal(50, #Q)
    assert.same({ 50, 53 }, { R.rows, R.cols })
    assert.is_true(deviation(Q) <= 1e-13)
    assert.is_true(Q:lincomb(R):almost_equal(A, { rtol = 1e-13, atol = 1e-13 }))
    for j = 1, 40 do
      for i = j + 1, 50 do assert.equal(0.0, R:get(i, j)) end
    end
  end)

  it("keeps small but independent vectors across panels", function()
    -- Columns of a Hilbert matrix: each is nearly in the span of those before it.
    local A = VectorArray.from_function(400, 9, function(i, j) return 1 / (i + j - 1) end)
    local big = VectorArray.random(400, 20, { seed = 2 })
    local both = VectorArray.cat { big, A }
    local Q, R = gram_schmidt.gram_schmidt(both)
    assert.equal(29, #Q)
    assert.is_true(deviation(Q) <= 1e-13)
    assert.is_true(Q:lincomb(R):almost_equal(both, { rtol = 1e-13, atol = 1e-13 }))
  end)

  it("turns the array itself into the result with copy = false", function()
    local A = VectorArray.random(10, 4, { seed = 1 })
    A:append(A[2]:copy())
    local expected = gram_schmidt.gram_schmidt(A)
    local Q = gram_schmidt.gram_schmidt(A, { copy = false })
    assert.equal(A, Q)
    assert.same(expected:to_table(), A:to_table())
  end)

  it("takes empty arrays and zero vectors", function()
    local Q, R = gram_schmidt.gram_schmidt(VectorArray.empty(5))
    assert.same({ 5, 0, 0, 0 }, { Q.dim, #Q, R.rows, R.cols })
    Q, R = gram_schmidt.gram_schmidt(VectorArray.zeros(5, 3))
    assert.same({ 0, 0, 3 }, { #Q, R.rows, R.cols })
    Q = gram_schmidt.gram_schmidt(VectorArray.zeros(0, 2))
    assert.same({ 0, 0 }, { Q.dim, #Q })
  end)

  it("removes what is below atol", function()
    local A = VectorArray.from_table { { 1, 0 }, { 0, 1e-5 } }
    assert.equal(2, #gram_schmidt.gram_schmidt(A))
    assert.equal(1, #gram_schmidt.gram_schmidt(A, { atol = 1e-5 }))
    assert.equal(1, #gram_schmidt.gram_schmidt(VectorArray.from_table { { 1, 0 }, { 1, 1e-5 } },
      { rtol = 1e-4 }))
  end)

  it("appends to a basis", function()
    local Q = gram_schmidt.gram_schmidt(VectorArray.random(20, 3, { seed = 1 }))
    local V = VectorArray.random(20, 2, { seed = 2 })
    V:append(Q[2])
    local kept, columns = gram_schmidt.append(Q, V)
    assert.same({ 1, 2 }, kept)
    assert.equal(5, #Q)
    assert.is_true(deviation(Q) <= 1e-13)
    assert.equal(1, numbers.worst({ 0, 1, 0, 0, 0 }, columns[3], 0, 1e-15) // 1e3 + 1)
  end)

  it("refuses NaN, infinity, and what is not orthonormal before the offset", function()
    assert.error_matches(function()
      gram_schmidt.gram_schmidt(VectorArray.from_table { { 1, 0 }, { 0 / 0, 1 } })
    end, "vector 2 has the norm NaN")
    assert.error_matches(function()
      gram_schmidt.gram_schmidt(VectorArray.from_table { { 1 / 0, 1 } })
    end, "vector 1 has the norm inf", 1, true)
    assert.error_matches(function()
      gram_schmidt.gram_schmidt(VectorArray.from_table { { 2, 0 }, { 1, 1 } }, { offset = 1 })
    end, "result not orthogonal", 1, true)
  end)

  it("checks its arguments", function()
    local A = VectorArray.random(3, 2, { seed = 1 })
    assert.error_matches(function() gram_schmidt.gram_schmidt(A, { offset = 3 }) end,
      "option 'offset': integer from 0 to 2 expected, got 3", 1, true)
    assert.error_matches(function() gram_schmidt.gram_schmidt(A, { tol = 3 }) end,
      "unknown option 'tol'", 1, true)
    assert.error_matches(function() gram_schmidt.gram_schmidt({}) end,
      "A: VectorArray expected, got table", 1, true)
    assert.error_matches(function() gram_schmidt.gram_schmidt(A, { product = 1 }) end,
      "product: Operator, SparseMatrix or Matrix expected, got number", 1, true)
  end)

  it("names the vector whose norm is none, and a product of another size", function()
    local in_line = require "spec.support.refusals".in_line
    for _, n in ipairs { 1, 16, 17, 40 } do -- panels have 16 vectors
      local U = neap.VectorArray.random(50, n, { seed = 1 }):set(3, n, 0 / 0)
      in_line(("vector %d has the norm NaN"):format(n), function()
        local Q = gram_schmidt.gram_schmidt(U) return Q
      end)
    end
    local U = neap.VectorArray.from_table { { 1, 0 }, { 0, 1 }, { 1 / 0, 0 } }
    in_line("vector 3 has the norm inf", function()
      local Q = gram_schmidt.gram_schmidt(U, { offset = 2 }) return Q
    end)
    in_line("product: 2 x 2 expected, got 3 x 3", function()
      local Q = gram_schmidt.gram_schmidt(U, { product = neap.Matrix.identity(3) }) return Q
    end)
  end)
end)
