--- Empirical interpolation: agreement at the DOFs, exactness on the collateral basis, projection.
describe("EmpiricalInterpolatedOperator", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local projection = require "neap.algorithms.projection"
  local numbers = require "spec.support.numbers"
  local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray

  local N = 6
  local dofs = { 5, 2 }
  local basis = VectorArray.random(N, 2, { seed = 3, low = -1 })
  local mu = { c = { 0.25 } }

  -- Component k of the image is u_k^2 + c u_{k+1}.
  local Square = ops.Operator:subclass "my.Square"
  function Square:apply(X, m)
    return VectorArray.from_function(N, #X, function(k, j)
      return X:get(k, j) ^ 2 + m.c[1] * (k < self.source and X:get(k + 1, j) or 0)
    end)
  end
  function Square:jacobian(X, m)
    local J = Matrix.zeros(N, N)
    for k = 1, N do
      J:set(k, k, 2 * X:get(k, 1))
      if k < N then J:set(k, k + 1, m.c[1]) end
    end
    return ops.MatrixOperator(J)
  end

  local Few = ops.Operator:subclass "my.FewSquares"
  function Few:apply(X, m)
    return VectorArray.from_function(self.range, #X, function(k, j)
      local place, after = self.places[k], self.after[k]
      return X:get(place, j) ^ 2 + m.c[1] * (after and X:get(after, j) or 0)
    end)
  end
  function Few:jacobian(X, m)
    local J = Matrix.zeros(self.range, self.source)
    for k = 1, self.range do
      J:set(k, self.places[k], 2 * X:get(self.places[k], 1))
      if self.after[k] then J:set(k, self.after[k], m.c[1]) end
    end
    return ops.MatrixOperator(J)
  end
  local Restrictable = Square:subclass "my.RestrictableSquare"
  function Restrictable:restricted(list)
    local seen, source_dofs, places, after = {}, {}, {}, {}
    for _, dof in ipairs(list) do
      seen[dof] = true
      if dof < self.range then seen[dof + 1] = true end
    end
    for k = 1, self.range do
      if seen[k] then source_dofs[#source_dofs + 1], seen[k] = k, #source_dofs + 1 end
    end
    for k, dof in ipairs(list) do places[k], after[k] = seen[dof], seen[dof + 1] end
    return Few:new { source = #source_dofs, range = #list, parametric = true, places = places,
                     after = after }, source_dofs
  end

  local fields = { source = N, range = N, parametric = true }
  local square, restrictable = Square:new(fields), Restrictable:new(fields)
  local U = VectorArray.random(N, 3, { seed = 5, low = -1 })

  local function near(expected, actual) -- few sums, and a basis of small condition
    assert.same({ expected.dim, #expected }, { actual.dim, #actual })
    assert.is_true(actual:almost_equal(expected, { rtol = 1e-12, atol = 1e-12 }))
  end

  it("agrees with the operator at the DOFs, in the span of the basis", function()
    for _, op in ipairs { square, restrictable } do
      local ei = ops.EmpiricalInterpolatedOperator(op, dofs, basis)
      assert.same({ N, N, false, true }, { ei.source, ei.range, ei.linear, ei.parametric })
      local image = ei:apply(U, mu)
      assert.close_lists(numbers.entries(op:apply(U, mu):dofs(dofs)),
        numbers.entries(image:dofs(dofs)), 1e-13, 1e-13)
      local all = {}
      for k = 1, N do all[k] = k end
      near(image, basis:lincomb(basis:dofs(all):lstsq(image:dofs(all))))
      assert.equal(0, #ei:apply(VectorArray.empty(N), mu))
      near(image, ei:assemble(mu):apply(U))
    end
  end)

  it("uses few components of U where the operator offers it", function()
    local ei = ops.EmpiricalInterpolatedOperator(restrictable, dofs, basis)
    assert.same({ 2, 3, 5, 6 }, ei.source_dofs)
    assert.is_nil(ops.EmpiricalInterpolatedOperator(square, dofs, basis).restricted_operator)
    local V = U:copy()
    for j = 1, #V do V:set(1, j, 1e6):set(4, j, 0 / 0) end
    near(ei:apply(U, mu), ei:apply(V, mu))
  end)

  it("is exact where the image lies in the span", function()
    local W = VectorArray.random(N, 2, { seed = 8 })
    local op = ops.VectorOperator(basis) -- linear, from coefficients
    local ei = ops.EmpiricalInterpolatedOperator(op, dofs, basis)
    local c = VectorArray.from_table { { 1, 2 }, { -3, 0.5 }, { 0, 0 } }
    near(op:apply(c), ei:apply(c))
    assert.is_true(ei.linear)
    near(ei:apply_adjoint(W), ei:H():apply(W))
  end)

  it("has an adjoint when it is linear, with complex numbers too", function()
    local i = neap.complex(0, 1)
    local Z = Matrix.from_table { { 1, i, 0 }, { 2 - i, 0, 1 }, { 0, 1, 3 * i } }
    local Q = VectorArray.from_table { { 1, i, 2 }, { 0, 1 - i, 1 } }
    local Own = ops.Operator:subclass "my.Plain"
    function Own:apply(X) return self.matrix:apply(X) end
    function Own:apply_adjoint(X) return self.matrix:apply_adjoint(X) end
    for _, op in ipairs { ops.MatrixOperator(Z),
                          Own:new { source = 3, range = 3, linear = true, matrix = Z } } do
      local ei = ops.EmpiricalInterpolatedOperator(op, { 1, 3 }, Q)
      local X = VectorArray.random(3, 2, { seed = 1, complex = true })
      local Y = VectorArray.random(3, 2, { seed = 2, complex = true })
      local left, right = Y:inner(ei:apply(X)), ei:apply_adjoint(Y):inner(X)
      assert.is_true((left - right):norm() < 1e-13 * left:norm())
      near(ei:apply(X), ei:as_range_array():lincomb(X:dofs { 1, 2, 3 }))
    end
  end)

  it("has the Jacobian of what it computes", function()
    local u, d, h = U[1], VectorArray.random(N, 1, { seed = 9 }), 2 ^ -20
    for _, op in ipairs { square, restrictable } do
      local ei = ops.EmpiricalInterpolatedOperator(op, dofs, basis)
      -- The operator is quadratic: central differences have no error but rounding, 2^-52 / h.
      local expected = (0.5 / h) * (ei:apply(u + h * d, mu) - ei:apply(u - h * d, mu))
      assert.is_true(ei:jacobian(u, mu):apply(d):almost_equal(expected, { rtol = 1e-8 }))
    end
  end)

  it("is projected without its full dimension", function()
    local V, W = VectorArray.random(N, 2, { seed = 6 }), VectorArray.random(N, 3, { seed = 7 })
    local product = SparseMatrix.from_triplets(N, N, { 1, 2, 3, 4, 5, 6 }, { 1, 2, 3, 4, 5, 6 },
      { 1, 2, 3, 4, 5, 6 })
    local c = VectorArray.from_table { { 1, -2 }, { 0.5, 3 } }
    for _, op in ipairs { square, restrictable } do
      local ei = ops.EmpiricalInterpolatedOperator(op, dofs, basis)
      local small = projection.project(ei, W, V, product)
      assert.same({ 3, 2 }, { small.range, small.source })
      local full = ei:apply(V:lincomb(c:dofs { 1, 2 }), mu)
      near(VectorArray.from_table(W:inner(full, product):T():to_table()), small:apply(c, mu))
      if op == restrictable then assert.equal(4, small.operator.source) end
    end
  end)

  it("is restricted itself", function()
    local ei = ops.EmpiricalInterpolatedOperator(restrictable, dofs, basis)
    local R, source_dofs = ei:restricted { 1, 6, 1 }
    assert.same({ 2, 3, 5, 6 }, source_dofs)
    local some = VectorArray.from_function(4, #U, function(k, j)
      return U:get(source_dofs[k], j)
    end)
    local expected = ei:apply(U, mu):dofs { 1, 6, 1 }
    assert.close_lists(numbers.entries(expected),
      numbers.entries(R:apply(some, mu):dofs { 1, 2, 3 }), 1e-13, 1e-13)
  end)

  it("is zero without DOFs", function()
    local ei = ops.EmpiricalInterpolatedOperator(restrictable, {}, VectorArray.empty(N))
    near(VectorArray.zeros(N, 3), ei:apply(U, mu))
    near(VectorArray.zeros(N, 1), ei:jacobian(U[1], mu):apply(U[1]))
  end)

  it("travels to workers", function()
    local ei = ops.EmpiricalInterpolatedOperator(Matrix.identity(N), dofs, basis)
    local expected = ei:apply(U)
    local pool <close> = neap.pool { workers = 1 }
    near(expected, (pool:apply(function(op, X) return op:apply(X) end, ei, U))[1])
  end)

  it("refuses a basis that does not fit, is singular, and DOFs that occur twice", function()
    local new = ops.EmpiricalInterpolatedOperator
    assert.error_matches(function() new(square, { 1 }, basis) end,
      "basis: shape 6 x 1 expected, got 6 x 2", 1, true)
    assert.error_matches(function() new(square, { 1, 1 }, basis) end, "dofs[2]: 1 occurs twice", 1,
      true)
    assert.error_matches(function() new(square, { 1, 7 }, basis) end,
      "dofs[2]: index from 1 to 6 expected, got 7", 1, true)
    assert.error_matches(function() new(square, dofs, Matrix.identity(2)) end,
      "basis: VectorArray expected, got neap.Matrix", 1, true)
    assert.error_matches(function() new(square, dofs, VectorArray.ones(N, 2)) end,
      "basis: .*singular")
    assert.error_matches(function() new(3, dofs, basis) end, "op: Operator", 1, true)
    assert.error_matches(function()
      local _ = new(square, dofs, basis):apply_adjoint(U, mu)
    end, "is not linear and has no adjoint", 1, true)
  end)
end)
