--- Operators that compute few components of their images, from few components of the source.
describe("operators restricted to DOFs", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local parameters = require "neap.parameters"
  local numbers = require "spec.support.numbers"
  local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
  local i = neap.complex(0, 1)

  local rows, cols = { 1, 2, 2, 3, 4, 5, 5 }, { 2, 1, 4, 3, 6, 2, 5 }
  local A = SparseMatrix.from_triplets(5, 6, rows, cols, { 1, 2, 3, 4, 5, 6, 7 })
  local B = SparseMatrix.from_triplets(5, 6, { 1, 2, 5 }, { 6, 1, 1 }, { 8, 9, 10 })
  local Z = SparseMatrix.from_triplets(5, 6, rows, cols, { 1, 2, i, 4, 2 - i, 6, 7 })
  local theta = parameters.ProjectionFunctional("a", 2, 2)
  local mu = { a = { 9, 0.5 } }

  -- Few sums, in the same order: there is rounding only where a combination is taken.
  local function check(op, dofs, expected_source_dofs, m)
    local U = VectorArray.random(op.source, 3, { seed = 4, complex = true })
    for _, X in ipairs { U:real(), U, VectorArray.empty(op.source) } do
      local R, source_dofs = op:restricted(dofs)
      assert.same(expected_source_dofs, source_dofs)
      assert.same({ #dofs, #source_dofs }, { R.range, R.source })
      assert.equal(op.linear, R.linear)
      local expected = op:apply(X, m):dofs(dofs)
      local some = VectorArray.zeros(#source_dofs, #X, { complex = X.is_complex })
      for j = 1, #X do
        for k, dof in ipairs(source_dofs) do some:set(k, j, X:get(dof, j)) end
      end
      local image = R:apply(some, m)
      assert.same({ #dofs, #X }, { image.dim, #image })
      for j = 1, #X do
        for k = 1, #dofs do
          local e, x = expected:get(k, j), image:get(k, j)
          if type(e) ~= "number" then e, x = e.re + 7 * e.im, x.re + 7 * x.im end
          assert.near(e, x, 1e-13 * (1 + math.abs(e)))
        end
      end
    end
  end

  it("are matrices of some rows and the columns that these use, sorted", function()
    for _, op in ipairs { ops.MatrixOperator(A), ops.MatrixOperator(A:to_matrix()),
                          ops.MatrixOperator(Z), ops.MatrixOperator(Z:to_matrix()) } do
      check(op, { 2 }, { 1, 4 })
      check(op, { 5, 2, 5 }, { 1, 2, 4, 5 })
      check(op, { 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5, 6 })
      check(op, {}, {})
      local R = op:restricted { 5, 2 }
      assert.equal(getmetatable(op.matrix), getmetatable(R.matrix))
    end
  end)

  it("keep what is not a number", function()
    local M = Matrix.from_table { { 0, 0 / 0 }, { 1, 0 } }
    local R, source_dofs = ops.MatrixOperator(M):restricted { 1 }
    assert.same({ 2 }, source_dofs)
    assert.is_true(R.matrix:get(1, 1) ~= R.matrix:get(1, 1))
  end)

  it("combine what their summands need", function()
    local op = ops.LincombOperator({ A, B, A }, { 2, theta, i })
    check(op, { 5, 1 }, { 1, 2, 5, 6 }, mu)
    check(op, { 3 }, { 3 }, mu)
    check(op, {}, {}, mu)
    check(op:assemble(mu), { 5, 1 }, { 1, 2, 5, 6 })
  end)

  it("need nothing for zero, the DOFs for the identity", function()
    check(ops.ZeroOperator(3, 4), { 3, 1 }, {})
    check(ops.IdentityOperator(4), { 4, 2, 4 }, { 2, 4 })
  end)

  it("go through concatenations from the left to the right", function()
    local C = SparseMatrix.from_triplets(2, 5, { 1, 2, 2 }, { 4, 1, 3 }, { 1, -2, 3 })
    local scaled = ops.LincombOperator({ A }, { theta })
    check(ops.ConcatenationOperator { C, scaled }, { 2 }, { 2, 3 }, mu)
    check(ops.ConcatenationOperator { C, A }, { 1 }, { 6 })
  end)

  it("are adjoints of what is restricted in its source", function()
    check(ops.MatrixOperator(Z):H(), { 4, 6 }, { 2, 4 })
    check(ops.LincombOperator({ A, Z }, { theta, 1 + i }):H(), { 2, 1 }, { 1, 2, 5 }, mu)
  end)

  it("are vectors and functionals", function()
    local V = VectorArray.random(4, 2, { seed = 1, complex = true })
    check(ops.VectorOperator(V), { 4, 1, 4 }, { 1, 2 })
    check(ops.VectorFunctional(V), { 2 }, { 1, 2, 3, 4 })
    local source_basis = VectorArray.random(6, 3, { seed = 2 })
    check(ops.ProjectedOperator(A, nil, source_basis), { 2, 5 }, { 1, 2, 3 })
  end)

  it("are products with some vectors of a range basis", function()
    local range_basis = VectorArray.random(5, 3, { seed = 3, complex = true })
    local source_basis = VectorArray.random(6, 2, { seed = 2 })
    local product = Matrix.diag { 1, 2, 3, 4, 5 }
    local scaled = ops.LincombOperator({ A }, { theta })
    check(ops.ProjectedOperator(A, range_basis, source_basis, product), { 3, 1, 3 }, { 1, 2 })
    check(ops.ProjectedOperator(scaled, range_basis), { 2 }, { 1, 2, 3, 4, 5, 6 }, mu)
    check(ops.ProjectedOperator(A, range_basis, source_basis), {}, { 1, 2 })
    check(ops.ProjectedOperator(A, VectorArray.empty(5), source_basis), {}, { 1, 2 })
  end)

  it("keep the parameter of an operator of a user's own class that is fixed", function()
    local Own = ops.Operator:subclass "my.Power"
    function Own:apply(X, m)
      return VectorArray.from_function(self.range, #X, function(k, j)
        return X:get(k, j) ^ m.p[1]
      end)
    end
    function Own:restricted(dofs) -- luacheck: no self
      return Own:new { source = #dofs, range = #dofs, parametric = true }, dofs
    end
    local op = Own:new { source = 3, range = 3, parametric = true }
    local R, source_dofs = op:assemble({ p = { 2 } }):restricted { 1, 3 }
    assert.same({ 1, 3 }, source_dofs)
    assert.same({ { 4, 9 } }, R:apply(VectorArray.from_table { { 2, 3 } }):to_table())
  end)

  it("refuse what are no DOFs, in the caller's line", function()
    local all = { ops.MatrixOperator(A), ops.LincombOperator({ A }, { theta }),
      ops.ConcatenationOperator { A }, ops.ZeroOperator(5, 3), ops.IdentityOperator(5),
      ops.VectorOperator(VectorArray.zeros(5, 1)),
      ops.ProjectedOperator(A, VectorArray.zeros(5, 5)) }
    for _, op in ipairs(all) do
      local line = debug.getinfo(1, "l").currentline + 1
      local ok, message = pcall(function() local R = op:restricted { 1, 6 } return R end)
      assert.is_false(ok)
      assert.matches(("spec.lua:%d: dofs[2]: index from 1 to 5 expected, got 6"):format(line),
        message, 1, true)
      assert.error_matches(function() op:restricted(3) end,
        "dofs: list of indices expected, got number", 1, true)
      assert.error_matches(function() op:restricted { 1.5 } end, "got 1.5", 1, true)
      assert.error_matches(function() op:restricted { 0 } end, "got 0", 1, true)
    end
    local inverse = ops.InverseOperator(Matrix.identity(2))
    for _, op in ipairs { inverse, ops.ConcatenationOperator { Matrix.identity(2), inverse } } do
      local line = debug.getinfo(1, "l").currentline + 1
      local ok, message = pcall(function() local R = op:restricted { 1 } return R end)
      assert.is_false(ok)
      assert.matches(("spec.lua:%d: neap.InverseOperator cannot be restricted: each component of a "
        .. "solution depends on all of the right-hand side"):format(line), message, 1, true)
    end
  end)

  it("cost little where the matrix is large: no column that is not needed is kept", function()
    local n = 2000
    local diagonal, ones = {}, {}
    for k = 1, n do diagonal[k], ones[k] = k, k end
    local R, source_dofs = ops.MatrixOperator(SparseMatrix.from_triplets(n, n, diagonal, diagonal,
      ones)):restricted { 1999, 7 }
    assert.same({ 7, 1999 }, source_dofs)
    assert.same({ 2, 2, 2 }, { R.matrix.rows, R.matrix.cols, R.matrix.nnz })
    assert.close_lists({ 0, 1999, 7, 0 }, numbers.entries(R.matrix:to_matrix():T()), 0)
  end)
end)
