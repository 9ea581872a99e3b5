local neap = require "neap"
local SparseMatrix, VectorArray = neap.SparseMatrix, neap.VectorArray

local folder = "spec/reference/thermalblock/"

-- The negative Laplacian on m x m interior points, by the five-point formula; skew adds a
-- convection term, which makes it nonsymmetric.
local function laplacian(m, skew)
  local rows, cols, values = {}, {}, {}
  local function add(i, j, x)
    rows[#rows + 1], cols[#cols + 1], values[#values + 1] = i, j, x
  end
  for y = 0, m - 1 do
    for x = 0, m - 1 do
      local i = 1 + x + m * y
      add(i, i, 4)
      if x > 0 then add(i, i - 1, -1 - (skew or 0)) end
      if x < m - 1 then add(i, i + 1, -1 + (skew or 0)) end
      if y > 0 then add(i, i - m, -1) end
      if y < m - 1 then add(i, i + m, -1) end
    end
  end
  return SparseMatrix.from_triplets(m * m, m * m, rows, cols, values)
end

local function residual(A, U, V)
  return (A:apply(U) - V):sup_norm()
end

describe("SparseMatrix:apply_inverse", function()
  local cases = {
    { "symmetric positive definite", laplacian(12) },
    { "symmetric, larger than what supernodes are for", laplacian(60) },
    { "symmetric indefinite", laplacian(12) - 3.3 * SparseMatrix.from_triplets(144, 144,
      (function() local t = {} for i = 1, 144 do t[i] = i end return t, t, (function()
        local v = {} for i = 1, 144 do v[i] = 1 end return v end)() end)()) },
    { "nonsymmetric", laplacian(12, 0.4) },
  }
  for _, case in ipairs(cases) do
    local name, A = case[1], case[2]
    it("solves with a matrix that is " .. name, function()
      for _, len in ipairs { 0, 1, 5 } do
        local V = VectorArray.random(A.rows, len, { seed = len })
        local U = A:apply_inverse(V)
        assert.equal(len, #U)
        -- Backward stable: residuals of some units in the last place times |A| |U|.
        for _, r in ipairs(residual(A, U, V)) do assert.near(0, r, 1e-11) end
        local W = A:apply_inverse_adjoint(V)
        for _, r in ipairs(residual(A:T(), W, V)) do assert.near(0, r, 1e-11) end
      end
    end)
  end

  it("solves for one vector as for several where supernodes pay", function()
    -- The Laplacian in a cube, and full matrices, whose one supernode has any remainder of columns.
    local function cube(m)
      local rows, cols, values, n = {}, {}, {}, m ^ 3 // 1 | 0
      local function add(i, j, x)
        rows[#rows + 1], cols[#cols + 1], values[#values + 1] = i + 1, j + 1, x
      end
      for i = 0, n - 1 do
        add(i, i, 6.5)
        for _, step in ipairs { 1, m, m * m } do
          if i // step % m < m - 1 then
            add(i, i + step, -1)
            add(i + step, i, -1)
          end
        end
      end
      return SparseMatrix.from_triplets(n, n, rows, cols, values)
    end
    local function full(n)
      local rows, cols, values = {}, {}, {}
      for i = 1, n do
        for j = 1, n do
          rows[#rows + 1], cols[#cols + 1] = i, j
          values[#values + 1] = i == j and n or 1 / (i + j)
        end
      end
      return SparseMatrix.from_triplets(n, n, rows, cols, values)
    end
    for _, A in ipairs { cube(17), full(200), full(201), full(202), full(203) } do
      local V = VectorArray.random(A.rows, 2, { seed = 3, low = -1 })
      local U = A:apply_inverse(V)
      for i = 1, 2 do
        local u = A:apply_inverse(V[i])
        -- Condition numbers below 30 and 5: some units in the last place.
        assert.is_true(u:almost_equal(U[i], { rtol = 1e-14, atol = 0 }))
        assert.near(0, residual(A, u, V[i])[1], 1e-14)
      end
    end
  end)

  it("lets nothing grow in factors of a banded matrix with a few entries more", function()
    -- Diagonally dominant, so its condition is below 3; with pivots of a tenth of the largest, what
    -- grew in the factors made residuals up to 1e78.
    math.randomseed(1)
    local n = 500
    for _, i in ipairs { 0, 0.5 } do
      local off = i == 0 and -1 or neap.complex(-1, i)
      local rows, cols, values = {}, {}, {}
      local function add(j, k, x)
        rows[#rows + 1], cols[#cols + 1], values[#values + 1] = j, k, x
      end
      for k = 1, n do add(k, k, 4) end
      for k = 2, n do
        add(k, k - 1, off)
        add(k - 1, k, off)
      end
      local V = VectorArray.ones(n, 1)
      for _ = 1, 20 do
        add(math.random(n), math.random(n), 0.01)
        local A = SparseMatrix.from_triplets(n, n, rows, cols, values)
        -- Entries of the solution below 1, and 5 products in a row: some units in the last place.
        assert.near(0, residual(A, A:apply_inverse(V), V)[1], 1e-14)
        local W = A:apply_inverse_adjoint(V)
        assert.near(0, (A:apply_adjoint(W) - V):sup_norm()[1], 1e-14)
      end
    end
  end)

  it("solves the thermal block as the reference does", function()
    local As = { neap.load(folder .. "A_boundary.mtx") }
    for q = 1, 4 do As[q + 1] = neap.load(folder .. "A_" .. q .. ".mtx") end
    local rhs, l = neap.load(folder .. "rhs.npy"), neap.load(folder .. "output.npy")
    local energy = neap.load(folder .. "product_energy.mtx")
    local l2 = neap.load(folder .. "product_l2.mtx")
    local solutions = neap.load(folder .. "solutions.npy")
    -- From spec/reference/thermalblock: norms to 1e-11, relative.
    local facts = {
      { mu = { 1, 1, 1, 1 }, dofs = 1.7505479249532236, energy = 0.18734948409138902,
        l2 = 0.04122794310064587, sup = 0.07370364421766433, output = 0.035099829189309865 },
      { mu = { 0.1, 1, 1, 0.1 }, dofs = 4.980469389002775, energy = 0.7270493043289278,
        l2 = 0.11719318453716174, sup = 0.24062028889545017, output = 0.09600404270797977 },
      { mu = { 0.1, 0.2, 0.5, 0.9 }, dofs = 5.866150845194884, energy = 0.7316182212979256,
        l2 = 0.13810269039699957, sup = 0.3080865260192824, output = 0.11210692271769859 },
      { mu = { 1, 0.1, 0.35, 0.6 }, dofs = 4.508874246409824, energy = 0.5955446934215685,
        l2 = 0.10613138972673165, sup = 0.25133306658438226, output = 0.08680119809219909 },
    }
    for i, fact in ipairs(facts) do
      local A = SparseMatrix.lincomb({ 1, table.unpack(fact.mu) }, As)
      local u = A:apply_inverse(rhs)
      local function near(expected, actual) assert.near(expected, actual, 1e-11 * expected) end
      near(fact.dofs, u:norm()[1])
      near(fact.energy, u:norm(energy)[1])
      near(fact.l2, u:norm(l2)[1])
      near(fact.sup, u:sup_norm()[1])
      near(fact.output, l:inner(u):get(1, 1))
      assert.is_true(u:almost_equal(solutions[i], { rtol = 1e-11 }))
    end
    -- The dual norm of the right-hand side, through the symmetric product.
    assert.near(0.18734948409138993, energy:apply_inverse(rhs):norm(energy)[1], 1e-12)
  end)

  it("gives the same bits for the same matrix, whatever was factorised before", function()
    local As = { laplacian(20), laplacian(20, 0.3) }
    local V = VectorArray.random(400, 2, { seed = 1 })
    for _, coefficients in ipairs { { 1, 0 }, { 0.7, 0.3 } } do
      local first = SparseMatrix.lincomb(coefficients, As):apply_inverse(V)
      for k = 1, 3 do
        SparseMatrix.lincomb({ k, 0.1 }, As):factorize()
        SparseMatrix.lincomb({ k, 0 }, As):factorize()
        collectgarbage()
        local again = SparseMatrix.lincomb(coefficients, As):factorize():apply_inverse(V)
        assert.is_true(first:almost_equal(again, { rtol = 0, atol = 0 }))
      end
    end
  end)

  it("is not misled by badly scaled matrices", function()
    local A = SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 1e-200, 1, 1e200 })
    local U = A:apply_inverse(VectorArray.ones(3, 1))
    assert.near(1, U:get(1, 1) * 1e-200, 1e-15)
    assert.near(1, U:get(3, 1) * 1e200, 1e-15)
  end)

  it("names the column of a singular matrix", function()
    local V = VectorArray.ones(3, 1)
    local empty = SparseMatrix.from_triplets(3, 3, { 1, 3 }, { 1, 3 }, { 1, 1 })
    assert.error_matches(function() return empty:apply_inverse(V) end,
      "matrix is singular: the pivot of column 2 is 0")
    local nonsymmetric = SparseMatrix.from_triplets(3, 3, { 1, 1, 2, 3 }, { 1, 2, 3, 3 },
      { 1, 1, 1, 1 })
    assert.error_matches(function() return nonsymmetric:apply_inverse(V) end, "matrix is singular")
  end)

  it("says when a solution overflows", function()
    local V = VectorArray.from_table { { 1, 1, 1 }, { 1, 1e300, 2 } }
    local near = { 1, 2, 3, 1 } -- with a fourth entry it is not symmetric
    for _, n in ipairs { 3, 4 } do
      local A = SparseMatrix.from_triplets(3, 3, table.move(near, 1, n, 1, {}),
        table.move({ 1, 2, 3, 3 }, 1, n, 1, {}), table.move({ 1, 1e-300, 1, 1 }, 1, n, 1, {}))
      for _, B in ipairs { V, V * neap.complex(0, 1) } do
        assert.error_matches(function() return A:apply_inverse(B) end,
          "the solution overflows: its entry")
        assert.error_matches(function() return A:apply_inverse_adjoint(B) end,
          "the solution overflows: its entry")
      end
      assert.near(1, A:apply_inverse(V[1]):get(2, 1) / 1e300, 1e-15) -- two roundings
    end
  end)

  it("notices matrices that are singular but for rounding", function()
    -- The Laplacian without boundary conditions: constants in the kernel.
    local n, rows, cols, values = 7, {}, {}, {}
    local A0 = laplacian(n)
    local sums = A0:apply(VectorArray.ones(n * n, 1))
    for i = 1, n * n do rows[i], cols[i], values[i] = i, i, -sums:get(i, 1) end
    local A = 0.1 * (A0 + SparseMatrix.from_triplets(n * n, n * n, rows, cols, values))
    assert.error_matches(function() return A:factorize() end, "matrix is singular")
  end)

  it("refuses what has no inverse", function()
    local A = SparseMatrix.from_triplets(2, 3, { 1 }, { 1 }, { 1 })
    assert.error_matches(function() return A:apply_inverse(VectorArray.ones(2, 1)) end,
      "square matrix expected, got 2 x 3")
    local N = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, 0 / 0 })
    assert.error_matches(function() return N:apply_inverse(VectorArray.ones(2, 1)) end,
      "entry (2, 2) of the SparseMatrix is NaN", 1, true)
    assert.has_error(function() return laplacian(2):apply_inverse(VectorArray.ones(5, 1)) end,
      "bad argument #1 to 'apply_inverse' (dimension 4 expected, got 5)")
  end)

  it("refuses right-hand sides that are not finite, and says where", function()
    local A = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 2, 4 })
    for value, name in pairs { [1 / 0] = "infinite", NaN = "NaN" } do
      local V = VectorArray.zeros(2, 3):set(2, 3, value == "NaN" and 0 / 0 or value)
      assert.has_error(function() return (A:apply_inverse(V)) end,
        ("bad argument #1 to 'apply_inverse' (entry 2 of vector 3 is %s)"):format(name))
      assert.has_error(function() return (A:apply_inverse_adjoint(V)) end,
        ("bad argument #1 to 'apply_inverse_adjoint' (entry 2 of vector 3 is %s)"):format(name))
      assert.same({ { 0, 0 }, { 0, 0 } }, A:apply_inverse(V:slice(1, 2)):to_table())
    end
  end)

  it("solves with a matrix of dimension 0", function()
    local U = SparseMatrix.from_triplets(0, 0, {}, {}, {}):apply_inverse(VectorArray.zeros(0, 2))
    assert.equal(2, #U)
  end)
end)

describe("SparseMatrix:factorize", function()
  local function threads()
    local list = assert(io.popen "ls /proc/$PPID/task") -- of the one who asks: this process
    local n = 0
    for _ in list:lines() do n = n + 1 end
    list:close()
    return n
  end

  it("starts no threads but those of BLAS", function()
    local maps <close> = assert(io.open "/proc/self/maps")
    if maps:read "a":find "libcholmod" then pending "CHOLMOD is not a part of this neap" end
    local n, rows, cols, values = 600, {}, {}, {} -- full, so that there is one large supernode
    for j = 1, n do
      for i = 1, n do
        rows[#rows + 1], cols[#cols + 1] = i, j
        values[#values + 1] = i == j and n or 1 / (i + j)
      end
    end
    local A = SparseMatrix.from_triplets(n, n, rows, cols, values)
    local before = threads()
    A:factorize()
    assert.equal(before, threads())
    local one = VectorArray.ones(n, 1)
    assert.is_true(residual(A, A:apply_inverse(one), one)[1] < 1e-12) -- of entries near 1
  end)
end)
