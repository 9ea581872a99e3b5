describe("projection", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local projection = require "neap.algorithms.projection"
  local numbers = require "spec.support.numbers"
  local Matrix, VectorArray = neap.Matrix, neap.VectorArray
  local project, project_to_subbasis = projection.project, projection.project_to_subbasis

  local function random_matrix(m, n, seed)
    return Matrix.from_table(VectorArray.random(n, m, { seed = seed }):to_table())
  end
  local A, B = random_matrix(5, 4, 1), random_matrix(5, 4, 2)
  local D = random_matrix(5, 5, 3)
  local product = D:T() * D
  local W, V = VectorArray.random(5, 3, { seed = 4 }), VectorArray.random(4, 2, { seed = 5 })
  local u = VectorArray.random(2, 3, { seed = 6 })
  local mu = { a = { 0.3 } }
  local function theta(m) return m.a[1] end

  -- Whatever form a projection takes, it is this on vectors.
  local function check(op, range_basis, source_basis, p)
    local projected = project(op, range_basis, source_basis, p)
    local x = source_basis and u or VectorArray.random(projected.source, 3, { seed = 7 })
    local X = x
    if source_basis then
      X = source_basis:lincomb(Matrix.from_table(u:to_table()):T())
    end
    local expected = ops.as_operator(op, "op", 1):apply(X, mu)
    if range_basis then expected = range_basis:inner(expected, p)
    else expected = Matrix.from_table(expected:to_table()):T() end
    local actual = Matrix.from_table(projected:apply(x, mu):to_table()):T()
    assert.close_lists(numbers.entries(expected), numbers.entries(actual), 1e-12, 1e-12)
    assert.same({ range_basis and #range_basis or projected.range,
      source_basis and #source_basis or projected.source },
      { projected.range, projected.source })
    return projected
  end

  it("projects matrices, with and without product and bases", function()
    local projected = check(A, W, V)
    assert.equal(ops.MatrixOperator, getmetatable(projected))
    check(A, W, V, product)
    check(A, W, nil)
    check(A, nil, V)
    local op = ops.MatrixOperator(A)
    assert.equal(op, project(op, nil, nil))
    local empty = project(A, VectorArray.empty(5), VectorArray.empty(4))
    assert.same({ 0, 0 }, { empty.matrix.rows, empty.matrix.cols })
  end)

  it("projects combinations term by term", function()
    local projected = check(ops.LincombOperator({ A, B }, { 2, theta }), W, V, product)
    assert.equal(ops.LincombOperator, getmetatable(projected))
    assert.equal(theta, projected.coefficients[2])
    assert.equal(ops.MatrixOperator, getmetatable(projected.operators[2]))
  end)

  it("projects concatenations through their linear ends", function()
    local Square = ops.Operator:subclass "my.Square"
    function Square:apply(X)
      local t = X:to_table()
      for _, vector in ipairs(t) do
        for i, x in ipairs(vector) do vector[i] = x * x end
      end
      return VectorArray.from_table(t)
    end
    local square = Square:new { source = 5, range = 5 }
    check(ops.ConcatenationOperator { D, square, A }, W, V, product)
    check(ops.ConcatenationOperator { D, A }, W, V)
    local parametric = ops.LincombOperator({ D }, { theta })
    check(ops.ConcatenationOperator { parametric, square, A }, W, V)
    assert.equal(ops.ProjectedOperator, getmetatable(check(square, W, nil)))
  end)

  it("means the same by a product that is not Hermitian, whatever form the operator has", function()
    local D_ = random_matrix(5, 5, 8)
    local P = D_ + neap.complex(0, 1) * random_matrix(5, 5, 9)
    local E = ops.MatrixOperator(random_matrix(5, 5, 10))
    local Own = ops.Operator:subclass "my.NoAdjoint"
    function Own:apply(X) return D_:apply(X) end -- luacheck: no self
    local own = Own:new { source = 5, range = 5, linear = true }
    for _, p in ipairs { D_, P, ops.MatrixOperator(P) } do
      check(A, W, V, p)
      check(A, W, nil, p)
      check(E * ops.MatrixOperator(A), W, V, p)
      check(E * ops.MatrixOperator(A), W, nil, p)
      check(ops.LincombOperator({ E * ops.MatrixOperator(A), A }, { theta, 2 }), W, V, p)
    end
    check(own * ops.MatrixOperator(A), W, V, product)
    local symmetric = Own:new { source = 5, range = 5, linear = true }
    function Own:apply(X) return product:apply(X) end -- luacheck: no self
    check(E * ops.MatrixOperator(A), W, nil, symmetric)
  end)

  it("does not write out the columns of a large matrix", function()
    local n, list, ones = 30000, {}, {} -- written out it would take 7 GB
    for i = 1, n do list[i], ones[i] = i, 1 / i end
    local diagonal = neap.SparseMatrix.from_triplets(n, n, list, list, ones)
    local basis = VectorArray.zeros(n, 2):set(3, 1, 1):set(n, 2, 1)
    local projected = project(diagonal, basis, nil)
    assert.same({ { 1 / 3, 0 }, { 0, 2 / n } },
      projected:apply(VectorArray.zeros(n, 2):set(3, 1, 1):set(n, 2, 2)):to_table())
  end)

  it("projects vectors, functionals and zero", function()
    local two = VectorArray.random(5, 2, { seed = 8 })
    local vector = check(ops.VectorOperator(two), W, nil, product)
    assert.equal(ops.VectorOperator, getmetatable(vector))
    local functional = check(ops.VectorFunctional(VectorArray.random(4, 2, { seed = 8 })), nil, V)
    assert.equal(ops.VectorFunctional, getmetatable(functional))
    assert.equal(ops.ZeroOperator, getmetatable(check(ops.ZeroOperator(5, 4), W, V)))
    check(ops.IdentityOperator(5), W, VectorArray.random(5, 2, { seed = 9 }))
  end)

  it("restricts projections to leading basis vectors", function()
    local cases = {
      { A, W, V }, { ops.LincombOperator({ A, B }, { 2, theta }), W, V },
      { ops.ZeroOperator(5, 4), W, V },
    }
    for _, case in ipairs(cases) do
      local whole = project(table.unpack(case))
      for r = 0, 3 do
        for s = 0, 2 do
          local part = project_to_subbasis(whole, r, s)
          local alone = project(case[1], W:slice(1, r), V:slice(1, s))
          assert.same({ r, s }, { part.range, part.source })
          local x = VectorArray.random(s, 2, { seed = 1 })
          assert.is_true(part:apply(x, mu):almost_equal(alone:apply(x, mu),
            { rtol = 1e-13, atol = 1e-13 }))
        end
      end
    end
    local f = project(ops.VectorOperator(VectorArray.random(5, 1, { seed = 8 })), W, nil)
    assert.same({ 2, 1 }, { project_to_subbasis(f, 2, 1).range, #f.array })
    local l = project(ops.VectorFunctional(VectorArray.random(4, 2, { seed = 8 })), nil, V)
    assert.same({ 2, 1 }, { project_to_subbasis(l, 2, 1).range,
      project_to_subbasis(l, 2, 1).source })
  end)

  it("checks its arguments", function()
    assert.error_matches(function() return project(A, V, V) end,
      "range_basis: dimension 5 expected, got 4", 1, true)
    assert.error_matches(function() return project(A, W, A) end,
      "source_basis: VectorArray expected, got neap.Matrix", 1, true)
    assert.error_matches(function() return project(W, W, V) end,
      "op: Operator, SparseMatrix or Matrix expected, got neap.VectorArray", 1, true)
    assert.error_matches(function() return project_to_subbasis(A, 6, 1) end,
      "r: integer from 0 to 5 expected, got 6", 1, true)
    assert.error_matches(function()
      return project_to_subbasis(ops.IdentityOperator(3), 1, 1)
    end, "no rule to restrict a neap.IdentityOperator to leading basis vectors", 1, true)
  end)
end)
