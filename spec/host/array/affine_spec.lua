local neap = require "neap"
local affine = require "host.array".affine
local Matrix = neap.Matrix

local function random_matrix(m, n, f)
  local M = Matrix.zeros(m, n)
  for i = 1, m do
    for j = 1, n do M:set(i, j, f and f(i, j) or math.random() - 0.5) end
  end
  return M
end

-- A system, and its parts to compare with. Diagonally dominant, or with no structure at all.
local function random_system(n, q, k, r, dominant)
  local parts = { operators = {}, rhs = {}, n = n, q = q, k = k }
  for i = 1, q do
    parts.operators[i] = random_matrix(n, n)
    if dominant then parts.operators[i] = 0.5 / n * parts.operators[i] + Matrix.identity(n) end
  end
  for i = 1, k do parts.rhs[i] = random_matrix(n, 1) end
  parts.residual = random_matrix(r, k + q * n, function(i, j)
    return i <= j and math.random() - 0.5 or 0
  end)
  parts.system = affine(parts.operators, parts.rhs, parts.residual)
  return parts
end

local function coefficients(m, p)
  return random_matrix(m, p, function() return 0.1 + 0.9 * math.random() end)
end

-- The same by matrices: solution and norm for parameter p.
local function expected(parts, theta, thetaf, p)
  local A, f = Matrix.zeros(parts.n, parts.n), Matrix.zeros(parts.n, 1)
  for i = 1, parts.q do A = A + theta:get(i, p) * parts.operators[i] end
  for i = 1, parts.k do f = f + thetaf:get(i, p) * parts.rhs[i] end
  local u = parts.n > 0 and A:solve(f) or f
  local w = Matrix.zeros(parts.k + parts.q * parts.n, 1)
  for i = 1, parts.k do w:set(i, 1, thetaf:get(i, p)) end
  for i = 1, parts.n do
    for j = 1, parts.q do
      w:set(parts.k + (i - 1) * parts.q + j, 1, theta:get(j, p) * u:get(i, 1))
    end
  end
  return u, (parts.residual * w):norm()
end

local function column(M, p)
  local c = Matrix.zeros(M.rows, 1)
  for i = 1, M.rows do c:set(i, 1, M:get(i, p)) end
  return c
end

describe("affine", function()
  before_each(function() math.randomseed(42) end)

  it("solves and takes residual norms as matrices do", function()
    for _, shape in ipairs {
      { 1, 1, 1, 1 }, { 2, 3, 1, 5 }, { 5, 1, 4, 9 }, { 15, 9, 1, 136 }, { 7, 4, 2, 30 },
      { 40, 3, 1, 16 }, { 60, 5, 3, 17 }, { 3, 2, 1, 0 },
    } do
      for _, dominant in ipairs { true, false } do
        local n, q, k, r = table.unpack(shape)
        local parts = random_system(n, q, k, r, dominant)
        for _, p in ipairs { 1, 8, 17 } do
          local theta, thetaf = coefficients(q, p), coefficients(k, p)
          local norms, U = parts.system:estimate(theta, thetaf)
          assert.equal(p, #norms)
          assert.same({ n, p }, { U.rows, U.cols })
          for i = 1, p do
            local u, norm = expected(parts, theta, thetaf, i)
            -- Matrices without structure have condition numbers of up to some thousands.
            local tolerance = (dominant and 1e-13 or 1e-9) * (1 + u:norm())
            assert.near(0, (column(U, i) - u):norm(), tolerance)
            assert.near(norm, norms[i], 10 * tolerance)
          end
        end
      end
    end
  end)

  it("gives a parameter the same bits wherever it stands, and alone", function()
    for _, dominant in ipairs { true, false } do -- without structure some take the careful way
      local parts = random_system(11, 5, 2, 40, dominant)
      local p = 29
      local theta, thetaf = coefficients(5, p), coefficients(2, p)
      local norms, U = parts.system:estimate(theta, thetaf)
      for first = 1, p do
        for _, count in ipairs { 1, 2, 8, 9 } do
          if first + count - 1 <= p then
            local some, some_f = Matrix.zeros(5, count), Matrix.zeros(2, count)
            for j = 1, count do
              for i = 1, 5 do some:set(i, j, theta:get(i, first + j - 1)) end
              for i = 1, 2 do some_f:set(i, j, thetaf:get(i, first + j - 1)) end
            end
            local part, V = parts.system:estimate(some, some_f)
            local W = parts.system:solve(some, some_f)
            for j = 1, count do
              assert.equal(norms[first + j - 1], part[j])
              for i = 1, 11 do
                assert.equal(U:get(i, first + j - 1), V:get(i, j))
                assert.equal(V:get(i, j), W:get(i, j))
              end
            end
          end
        end
      end
    end
  end)

  it("takes lists of numbers for one parameter", function()
    local parts = random_system(4, 3, 2, 10, true)
    local theta, thetaf = coefficients(3, 1), coefficients(2, 1)
    local norms, U = parts.system:estimate(theta, thetaf)
    local again, V = parts.system:estimate(
      { theta:get(1, 1), theta:get(2, 1), theta:get(3, 1) }, { thetaf:get(1, 1), thetaf:get(2, 1) })
    assert.same(norms, again)
    assert.same(U:to_table(), V:to_table())
  end)

  it("takes long lists as well", function()
    local parts = random_system(3, 40, 33, 50, true)
    local theta, thetaf, list, list_f = coefficients(40, 1), coefficients(33, 1), {}, {}
    for q = 1, 40 do list[q] = theta:get(q, 1) end
    for k = 1, 33 do list_f[k] = thetaf:get(k, 1) end
    assert.same(parts.system:norms(theta, thetaf), parts.system:norms(list, list_f))
    list[40] = nil
    assert.error_matches(function() return parts.system:norms(list, list_f) end,
      "list of 40 numbers expected, got 39", 1, true)
  end)

  it("gives the norms alone, with the same bits", function()
    local parts = random_system(4, 3, 2, 10, true)
    for _, p in ipairs { 0, 1, 2, 9 } do
      local theta, thetaf = coefficients(3, p), coefficients(2, p)
      assert.same((parts.system:estimate(theta, thetaf)), parts.system:norms(theta, thetaf))
    end
    local without = affine({ Matrix.identity(2) }, { Matrix.zeros(2, 1) })
    assert.error_matches(function() return without:norms({ 1 }, { 1 }) end,
      "system was made without residual", 1, true)
  end)

  it("solves what needs pivoting, beside what does not", function()
    local swap = Matrix.from_table { { 0, 1, 0 }, { 0, 0, 1 }, { 1, 0, 0 } }
    local f = Matrix.from_table { { 1 }, { 2 }, { 3 } }
    local system = affine({ swap, Matrix.identity(3) }, { f })
    local U = system:solve(Matrix.from_table { { 1, 0, 1 }, { 0, 2, 1e-20 } },
      Matrix.from_table { { 1, 1, 1 } })
    assert.same({ { 3, 0.5, 3 }, { 1, 1, 1 }, { 2, 1.5, 2 } }, U:to_table())
  end)

  it("solves badly scaled systems", function()
    local D = Matrix.diag { 1e-150, 1, 1e150 }
    local u = affine({ D }, { Matrix.from_table { { 1 }, { 1 }, { 1 } } }):solve({ 1 }, { 1 })
    for i, x in ipairs { 1e150, 1, 1e-150 } do assert.near(1, u:get(i, 1) / x, 1e-15) end
  end)

  it("names the parameter whose matrix is singular", function()
    local system = affine({ Matrix.from_table { { 1, 1 }, { 1, 1 } }, Matrix.identity(2) },
      { Matrix.from_table { { 1 }, { 2 } } })
    local thetaf = Matrix.from_table { { 1, 1, 1 } }
    assert.error_matches(function()
      return system:solve(Matrix.from_table { { 1, 1, 1 }, { 1, 1, 0 } }, thetaf)
    end, "parameter 3: matrix is singular")
    assert.error_matches(function() return system:solve({ 0, 0 }, { 1 }) end,
      "parameter 1: matrix is singular")
    assert.error_matches(function() return system:solve({ 0 / 0, 1 }, { 1 }) end,
      "parameter 1: matrix is singular")
  end)

  it("works with an empty basis, and with no parameters", function()
    local parts = random_system(0, 3, 2, 2, true)
    local thetaf = coefficients(2, 3)
    local norms, U = parts.system:estimate(coefficients(3, 3), thetaf)
    assert.same({ 0, 3 }, { U.rows, U.cols })
    for i = 1, 3 do
      assert.near((parts.residual * column(thetaf, i)):norm(), norms[i], 1e-15)
    end
    local full = random_system(3, 2, 1, 4, true)
    norms, U = full.system:estimate(Matrix.zeros(2, 0), Matrix.zeros(1, 0))
    assert.same({}, norms)
    assert.same({ 3, 0 }, { U.rows, U.cols })
  end)

  it("leaves the matrices it was made from alone, and they it", function()
    local A, f = Matrix.identity(2), Matrix.from_table { { 1 }, { 2 } }
    local system = affine({ A }, { f })
    A:set(1, 1, 5)
    f:set(1, 1, 5)
    assert.same({ { 1 }, { 2 } }, system:solve({ 1 }, { 1 }):to_table())
    assert.equal("AffineSystem of dimension 2, 1 operators", tostring(system))
  end)

  it("names what does not fit", function()
    local I, f = Matrix.identity(2), Matrix.zeros(2, 1)
    local function message(g, ...)
      local ok, why = pcall(g, ...)
      assert.is_false(ok)
      return why
    end
    assert.matches("#1.*at least one Matrix", message(affine, {}, { f }))
    assert.matches("#2.*at least one Matrix", message(affine, { I }, {}))
    assert.matches("#1.*item 2: Matrix 2 x 2 expected, got 3 x 3",
      message(affine, { I, Matrix.identity(3) }, { f }))
    assert.matches("#1.*item 1: Matrix 2 x 2 expected, got 2 x 1", message(affine, { f }, { f }))
    assert.matches("#2.*item 1: Matrix expected, got number", message(affine, { I }, { 1 }))
    assert.matches("#3.*Matrix of 3 columns expected, got 2", message(affine, { I }, { f }, I))
    local system = affine({ I }, { f })
    assert.matches("made without residual", message(system.estimate, system, { 1 }, { 1 }))
    assert.matches("#2.*list of 1 numbers expected, got 2",
      message(system.solve, system, { 1, 2 }, { 1 }))
    assert.matches("#2.*Matrix of 1 rows expected, got 2", message(system.solve, system, I, { 1 }))
    assert.matches("#3.*coefficients of 2 parameters expected, got 1",
      message(system.solve, system, Matrix.zeros(1, 2), { 1 }))
    assert.matches("#3.*Matrix or list of numbers expected, got nil",
      message(system.solve, system, { 1 }))
  end)
end)
