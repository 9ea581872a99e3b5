--- Operators of complex matrices and with complex coefficients.
describe("complex operators", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local parameters = require "neap.parameters"
  local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
  local i = neap.complex(0, 1)

  local A = Matrix.from_table { { 2, 1, 0 }, { 0, 3, 1 }, { 1, 0, 4 } }
  local Z = Matrix.from_table { { 2 + i, 1, 0 }, { 0, 3 * i, 1 }, { 1 - i, 0, 4 } }
  local S = SparseMatrix.from_triplets(3, 3, { 1, 2, 3, 1 }, { 1, 2, 3, 3 }, { 2, 3, 4, 1 })
  local mu = { omega = { 0.5 } }
  local function shift(m) return neap.complex(0, m.omega[1]) end

  local function near(X, Y) assert.is_true((X - Y):norm() <= 1e-13 * (1 + Y:norm())) end

  -- Sums of less than 10 products of numbers below 10.
  local function check(op, m)
    local U = VectorArray.random(op.source, 2, { seed = 1, complex = true })
    local V = VectorArray.random(op.range, 2, { seed = 2, complex = true })
    local image = op:apply(U, m)
    near(V:inner(image), op:apply2(V, U, m))
    near(V:inner(image), op:apply_adjoint(V, m):inner(U))
    near(V:inner(image), op:H():apply(V, m):inner(U))
    local all = {}
    for k = 1, op.source do all[k] = k end
    near(V:inner(image), V:inner(op:as_range_array(m):lincomb(U:dofs(all))))
    local expected = op:as_source_array(m):inner(U)
    for j = 1, 2 do
      for k = 1, op.range do
        assert.is_true((expected:get(k, j) - image:get(k, j)):abs() < 1e-12)
      end
    end
    near(V:inner(image), V:inner(op:assemble(m):apply(U)))
    if op.source == op.range then
      assert.is_true(op:apply(op:apply_inverse(V, m), m):almost_equal(V, { rtol = 1e-12 }))
      assert.is_true(op:apply_adjoint(op:apply_inverse_adjoint(V, m), m)
        :almost_equal(V, { rtol = 1e-12 }))
    end
  end

  it("are matrices", function()
    check(ops.MatrixOperator(Z))
    check(ops.MatrixOperator(S + i * S))
  end)

  it("combine with complex coefficients, shifted systems among them", function()
    check(ops.LincombOperator({ A, Z }, { i, 2 }))
    check(ops.LincombOperator({ A, Z }, { shift, 1 - i }), mu)
    local identity = ops.IdentityOperator(3)
    local shifted = ops.MatrixOperator(S) + ops.LincombOperator({ identity }, { shift })
    check(shifted, mu)
    assert.equal(ops.MatrixOperator, getmetatable(shifted:assemble(mu)))
    assert.equal(shifted:assemble(mu), shifted:assemble { omega = { 0.5 } }) -- kept
    check(i * ops.MatrixOperator(A) - (2 + i) * ops.MatrixOperator(Z))
    assert.equal(2, #(i * (ops.MatrixOperator(A) + ops.MatrixOperator(Z))).operators) -- flat
  end)

  it("concatenate, and have adjoints and inverses", function()
    local op = ops.LincombOperator({ A, Z }, { shift, 1 })
    check(ops.ConcatenationOperator { op, S, Z }, mu)
    check(op:H(), mu)
    check(ops.InverseOperator(op), mu)
    assert.equal(op, op:H():H())
  end)

  it("are vectors and functionals, with a product too", function()
    local V = VectorArray.random(3, 2, { seed = 3, complex = true })
    check(ops.VectorOperator(V))
    check(ops.VectorFunctional(V))
    check(ops.VectorFunctional(V, Z))
  end)

  it("are projected", function()
    local V = VectorArray.random(3, 2, { seed = 3, complex = true })
    local W = VectorArray.random(3, 2, { seed = 4, complex = true })
    local Own = ops.Operator:subclass "my.Shift"
    function Own:apply(U, m) return shift(m) * U end -- luacheck: no self
    function Own:apply_adjoint(U, m) return shift(m):conj() * U end -- luacheck: no self
    local own = Own:new { source = 3, range = 3, linear = true, parametric = true }
    check(ops.ProjectedOperator(own, W, V), mu)
    check(ops.ProjectedOperator(own, W, V, A), mu)
    check(ops.ProjectedOperator(own, W), mu)
    check(ops.ProjectedOperator(own, nil, V), mu)
    check(ops.ProjectedOperator(Z, W, V))
  end)

  it("refuse what is no number", function()
    assert.error_matches(function() ops.LincombOperator({ A }, { A }) end,
      "coefficients[1]: number or function of mu expected, got neap.Matrix", 1, true)
    local op = ops.LincombOperator({ A }, { function() return "1" end })
    assert.error_matches(function() op:evaluate_coefficients(mu) end,
      'coefficients[1]: finite number expected, got "1"', 1, true)
    assert.is_true(parameters.is_coefficient(i))
  end)
end)
