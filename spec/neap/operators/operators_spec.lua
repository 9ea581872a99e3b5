describe("operators", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local parameters = require "neap.parameters"
  local numbers = require "spec.support.numbers"
  local VectorArray, Matrix = neap.VectorArray, neap.Matrix
  local SparseMatrix = neap.SparseMatrix

  local A = Matrix.from_table { { 2, 1, 0 }, { 0, 3, 1 }, { 1, 0, 4 } }
  local B = Matrix.from_table { { 1, 0, 2 }, { 0, 1, 0 }, { 3, 0, 1 } }
  local theta = parameters.ProjectionFunctional("a", 2, 2)
  local mu = { a = { 9, 0.5 } }
  local U = VectorArray.from_table { { 1, 2, 3 }, { -1, 0, 1 } }
  local V = VectorArray.from_table { { 4, 0, -2 }, { 1, 1, 1 } }

  local function same_arrays(expected, actual)
    assert.equal(expected.dim, actual.dim)
    assert.equal(#expected, #actual)
    for i = 1, #expected do
      assert.close_lists(expected:to_table()[i], actual:to_table()[i], 1e-13, 1e-13)
    end
  end

  -- Every property that ties the methods of a linear operator together.
  local function check_linear(op, m)
    local X = VectorArray.random(op.source, 2, { seed = 1 })
    local Y = VectorArray.random(op.range, 2, { seed = 2 })
    local image = op:apply(X, m)
    assert.equal(op.range, image.dim)
    assert.equal(2, #image)
    assert.equal(0, #op:apply(VectorArray.empty(op.source), m))
    local expected = numbers.entries(Y:inner(image))
    assert.close_lists(expected, numbers.entries(op:apply2(Y, X, m)), 1e-13, 1e-13)
    assert.close_lists(expected, numbers.entries(op:apply_adjoint(Y, m):inner(X)), 1e-13, 1e-13)
    assert.close_lists({ expected[1], expected[4] }, op:pairwise_apply2(Y, X, m), 1e-13, 1e-13)
    same_arrays(image, op:assemble(m):apply(X))
    local coefficients = X:dofs((function()
      local t = {}
      for i = 1, op.source do t[i] = i end
      return t
    end)())
    same_arrays(image, op:as_range_array(m):lincomb(coefficients))
    assert.close_lists(numbers.entries(op:as_source_array(m):inner(X)),
      numbers.entries(VectorArray.from_function(op.range, op.range, function(i, j)
        return i == j and 1 or 0
      end):inner(image)), 1e-13, 1e-13)
    same_arrays(op:apply_adjoint(Y, m), op:H():apply(Y, m))
  end

  local function check_invertible(op, m)
    local Y = VectorArray.random(op.range, 2, { seed = 3 })
    same_arrays(Y, op:apply(op:apply_inverse(Y, m), m))
    same_arrays(Y, op:apply_adjoint(op:apply_inverse_adjoint(Y, m), m))
  end

  it("are what a matrix is", function()
    local op = ops.MatrixOperator(A)
    assert.equal(A, op.matrix)
    assert.is_true(op.linear)
    assert.is_false(op.parametric)
    same_arrays(VectorArray.from_table { { 4, 9, 13 }, { -2, 1, 3 } }, op:apply(U))
    check_linear(op)
    check_invertible(op)
    assert.equal(op, op:assemble())
  end)

  it("combine with coefficients that depend on mu", function()
    local op = ops.LincombOperator({ A, B, ops.IdentityOperator(3) }, { 2, theta, function(m)
      return m.a[1]
    end })
    assert.is_true(op.parametric)
    assert.same({ 2, 0.5, 9 }, op:evaluate_coefficients(mu))
    check_linear(op, mu)
    same_arrays(2 * A:apply(U) + 0.5 * B:apply(U) + 9 * U, op:apply(U, mu))
    assert.error_matches(function() op:apply(U) end,
      "mu: missing, but there is a coefficient that depends on it", 1, true)
  end)

  it("assemble to one matrix, and keep it for the same coefficients", function()
    local op = ops.LincombOperator({ A, B }, { 1, theta })
    local assembled = op:assemble(mu)
    assert.equal(ops.MatrixOperator, getmetatable(assembled))
    assert.same((A + 0.5 * B):to_table(), assembled.matrix:to_table())
    check_linear(op, mu)
    check_invertible(op, mu)
    local sparse = SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 2, 3, 4 })
    op = ops.LincombOperator({ sparse, sparse:T() }, { 1, theta })
    assembled = op:assemble(mu)
    assert.equal(assembled, op:assemble { a = { 1, 0.5 } })
    assert.is_not.equal(assembled, op:assemble { a = { 1, 0.75 } })
  end)

  it("keep a NaN and an infinity of a summand whose coefficient is 0, assembled or not", function()
    for _, bad in ipairs { 0 / 0, 1 / 0 } do
      for _, coefficient in ipairs { 0, neap.complex(0, 0), function() return 0 end } do
        local dense = Matrix.from_table { { 0, 0, 0 }, { 0, bad, 0 }, { 0, 0, 0 } }
        local sparse = SparseMatrix.from_triplets(3, 3, { 2 }, { 2 }, { bad })
        for _, C in ipairs { dense, sparse } do
          for _, summands in ipairs { { A, C }, { C, A } } do
            local op = ops.LincombOperator(summands,
              summands[1] == A and { 1, coefficient } or { coefficient, 1 })
            local assembled = op:assemble {}
            for _, W in ipairs { op:apply(U, {}), assembled:apply(U), op:apply_adjoint(U, {}),
                                 assembled:apply_adjoint(U), op:as_range_array {} } do
              local x, y = W:get(2, 2), W:get(1, 1)
              if type(x) ~= "number" then x, y = x.re, y.re end
              assert.is_true(x ~= x)
              assert.is_true(y == y)
            end
          end
        end
      end
    end
  end)

  it("are vectors and functionals", function()
    local vector, functional = ops.VectorOperator(V), ops.VectorFunctional(V, A)
    assert.same({ 2, 3 }, { vector.source, vector.range })
    assert.same({ 3, 2 }, { functional.source, functional.range })
    check_linear(vector)
    check_linear(functional)
    assert.equal(V, vector:as_range_array())
    assert.close_lists(numbers.entries(V:inner(U, A)),
      numbers.entries(Matrix.from_table(functional:apply(U):to_table()):T()), 1e-14)
  end)

  it("are identity and zero", function()
    check_linear(ops.IdentityOperator(3))
    check_invertible(ops.IdentityOperator(3))
    check_linear(ops.ZeroOperator(2, 3))
    assert.error_matches(function() ops.IdentityOperator(3):apply(VectorArray.zeros(2, 1)) end,
      "U: dimension 3 expected, got 2", 1, true)
    local restricted, source_dofs = ops.IdentityOperator(5):restricted { 4, 2, 4 }
    assert.same({ 2, 4 }, source_dofs)
    same_arrays(VectorArray.from_table { { 40, 20, 40 } },
      restricted:apply(VectorArray.from_table { { 20, 40 } }))
  end)

  it("concatenate to square ones of others, which are solved with as a whole", function()
    local W = VectorArray.random(3, 2, { seed = 8 })
    local op = ops.VectorFunctional(W) * ops.LincombOperator({ A, B }, { 1, theta })
      * ops.VectorOperator(VectorArray.random(3, 2, { seed = 9, complex = true }))
    check_linear(op, mu)
    check_invertible(op, mu)
    local wide = ops.VectorOperator(W) * ops.VectorFunctional(W) -- of rank 2
    local ok, message = pcall(wide.apply_inverse, wide, VectorArray.ones(4, 1))
    assert.is_false(ok)
    assert.matches("V: dimension 3 expected, got 4", message)
    local rectangular = ops.VectorFunctional(W) * ops.MatrixOperator(A)
    assert.error_matches(function() rectangular:apply_inverse(VectorArray.ones(2, 1)) end,
      "square Matrix expected, got 2 x 3", 1, true)
  end)

  it("concatenate", function()
    local op = ops.ConcatenationOperator { A, ops.LincombOperator({ B }, { theta }), A }
    assert.is_true(op.parametric)
    check_linear(op, mu)
    check_invertible(op, mu)
    same_arrays(0.5 * A:apply(B:apply(A:apply(U))), op:apply(U, mu))
    assert.error_matches(function()
      ops.ConcatenationOperator { A, ops.ZeroOperator(2, 3) }
    end, "operators[2]: range of dimension 3 expected, got 2", 1, true)
  end)

  it("have adjoints and inverses", function()
    local op = ops.LincombOperator({ A, B }, { 1, theta })
    check_linear(op:H(), mu)
    check_invertible(op:H(), mu)
    assert.equal(op, op:H():H())
    check_linear(ops.InverseOperator(op), mu)
    check_invertible(ops.InverseOperator(op), mu)
    same_arrays(U, ops.InverseOperator(A):apply(A:apply(U)))
    assert.error_matches(function() ops.InverseOperator(ops.ZeroOperator(2, 3)) end,
      "op: square operator expected, got 2 x 3", 1, true)
  end)

  it("add, subtract, scale and multiply", function()
    local a, b = ops.MatrixOperator(A), ops.MatrixOperator(B)
    local op = 2 * a - b * theta + b
    assert.equal(ops.LincombOperator, getmetatable(op))
    same_arrays(2 * A:apply(U) - 0.5 * B:apply(U) + B:apply(U), op:apply(U, mu))
    same_arrays(-1 * A:apply(U), (-a):apply(U))
    same_arrays(A:apply(B:apply(U)), (a * b):apply(U))
    local sum = a + b + a
    assert.equal(3, #sum.operators) -- flat
    same_arrays(sum:apply(U) - op:apply(U, mu), (sum - op):apply(U, mu))
    same_arrays(A:apply(U) + B:apply(U), (a + B):apply(U))
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() local r = a + ops.ZeroOperator(2, 3) return r end)
    assert.is_false(ok)
    assert.matches(("spec.lua:%d: operators differ in shape: 3 x 3 and 2 x 3"):format(line),
      message, 1, true)
    assert.error_matches(function() return a + 1 end,
      "right operand: Operator, SparseMatrix or Matrix expected, got number", 1, true)
  end)

  it("of a user's own class are asked for what they have, and named for what they lack", function()
    local Square = ops.Operator:subclass "my.Square"
    function Square:apply(X) return X:copy() end
    local op = Square:new { source = 3, range = 3, linear = false }
    same_arrays(U, op:apply(U))
    assert.close_lists(numbers.entries(V:inner(U)), numbers.entries(op:apply2(V, U)), 1e-14)
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() local r = op:apply_adjoint(U) return r end)
    assert.is_false(ok)
    assert.matches(("spec.lua:%d: my.Square has no method 'apply_adjoint'"):format(line), message,
      1, true)
    for _, method in ipairs { "apply_inverse", "apply_inverse_adjoint", "restricted", "jacobian",
                              "as_range_array", "as_source_array" } do
      assert.error_matches(function() op[method](op, U) end,
        ("my.Square has no method '%s'"):format(method), 1, true)
    end
    assert.error_matches(function() Square:new { source = 3 } end,
      "range: dimension expected, got nil", 1, true)
    assert.error_matches(function() op.x = 1 end, "my.Square is immutable", 1, true)
  end)

  it("fix their parameter where they cannot assemble", function()
    local Scale = ops.Operator:subclass "my.Scale"
    function Scale:apply(X, m) return m.a[2] * X end
    local op = Scale:new { source = 3, range = 3, linear = true, parametric = true }
    same_arrays(0.5 * U, op:assemble(mu):apply(U))
    same_arrays(0.5 * U + A:apply(U), (op + A):assemble(mu):apply(U))
    assert.error_matches(function() op:apply_inverse(U, mu) end,
      "my.Scale has no method 'apply_inverse'", 1, true)
  end)

  it("with a parameter fixed solve as their operator does", function()
    local Scale = ops.Operator:subclass "my.Scale"
    function Scale:apply(X, m) return m.a[2] * X end
    function Scale:apply_inverse(X, m) return (1 / m.a[2]) * X end
    local op = Scale:new { source = 3, range = 3, linear = true, parametric = true }
    same_arrays(2 * U, op:assemble(mu):apply_inverse(U))
  end)

  it("projected are assembled to the matrix of the bases", function()
    local Scale = ops.Operator:subclass "my.Scale"
    function Scale:apply(X, m) return m.a[2] * A:apply(X) end
    function Scale:apply_adjoint(X, m) return m.a[2] * A:apply_adjoint(X) end
    local own = Scale:new { source = 3, range = 3, linear = true, parametric = true }
    local product = Matrix.diag { 1, 2, 3 }
    for _, P in ipairs { false, product } do
      local op = ops.ProjectedOperator(own, V, U, P or nil)
      check_linear(op, mu)
      check_invertible(op, mu)
      local assembled = op:assemble(mu)
      assert.equal(ops.MatrixOperator, getmetatable(assembled))
      assert.close_lists(numbers.entries(0.5 * V:inner(A:apply(U), P or nil)),
        numbers.entries(assembled.matrix), 1e-14, 1e-14)
    end
    for _, bases in ipairs { { V, nil }, { nil, U }, { V:slice(1, 1), U[1] } } do
      check_linear(ops.ProjectedOperator(own, bases[1], bases[2]), mu)
    end
    local empty = ops.ProjectedOperator(own, VectorArray.empty(3), VectorArray.empty(3))
    assert.same({ 0, 0 }, { empty:assemble(mu).matrix.rows, empty:assemble(mu).matrix.cols })
    assert.equal(0, empty:apply_inverse(VectorArray.zeros(0, 1), mu).dim)
    -- A sum of it and of a matrix is one matrix.
    local sum = ops.ProjectedOperator(own, V, U) + Matrix.identity(2)
    assert.equal(ops.MatrixOperator, getmetatable(sum:assemble(mu)))
    check_invertible(sum, mu)
  end)

  it("travel to workers, of a user's own class too", function()
    local Scale = ops.Operator:subclass "my.Scale"
    function Scale:apply(X, m) return (self.factor * m.a[2]) * X end
    local own = Scale:new { source = 3, range = 3, linear = true, parametric = true, factor = 4 }
    local sum = own + ops.LincombOperator({ A, B }, { 1, theta })
    local pool <close> = neap.pool { workers = 1 }
    local there <close> = pool:push(sum)
    same_arrays(sum:apply(U, mu), (pool:apply(function(op, X, m)
      return op:apply(X, m)
    end, there, U, mu))[1])
    local back = there:get(1)
    assert.equal(ops.LincombOperator, getmetatable(back))
    assert.equal(ops.MatrixOperator, getmetatable(back.operators[2]))
    assert.equal("my.Scale", back.operators[1].__name)
    same_arrays(sum:apply(U, mu), back:apply(U, mu))
  end)

  it("say in the caller's line what they cannot be applied to", function()
    local in_line = require "spec.support.refusals".in_line
    local S = neap.SparseMatrix.from_triplets(3, 3, { 1 }, { 1 }, { 1 })
    for _, op in ipairs {
      ops.MatrixOperator(A), ops.MatrixOperator(S), ops.IdentityOperator(3),
      ops.ZeroOperator(3, 3), ops.VectorOperator(VectorArray.ones(3, 3)),
      ops.VectorFunctional(VectorArray.ones(3, 3)), ops.MatrixOperator(A) * ops.MatrixOperator(B),
      ops.ProjectedOperator(A, VectorArray.ones(3, 3), VectorArray.ones(3, 3)),
      ops.LincombOperator({ A, S }, { 1, 2 }), ops.AdjointOperator(ops.MatrixOperator(A)):H(),
    } do
      in_line("U: dimension 3 expected, got 2", function()
        local X = op:apply(VectorArray.ones(2, 1)) return X
      end)
      in_line("V: dimension 3 expected, got 4", function()
        local X = op:apply_adjoint(VectorArray.ones(4, 1)) return X
      end)
      local ok, message = pcall(op.apply, op, 3)
      assert.is_false(ok)
      assert.matches("U: .*VectorArray expected, got number", message)
    end
    in_line("V: entry 2 of vector 1 is NaN", function()
      local X = ops.MatrixOperator(A):apply_inverse(VectorArray.ones(3, 1):set(2, 1, 0 / 0))
      return X
    end)
    for _, op in ipairs { ops.LincombOperator({ A, S }, { 1, 2 }), ops.InverseOperator(A),
                          ops.MatrixOperator(A):H() } do
      in_line("V: dimension 3 expected, got 4", function()
        local G = op:apply2(VectorArray.ones(4, 1), U) return G
      end)
      in_line("V: VectorArray expected, got number", function()
        local list = op:pairwise_apply2(3, U) return list
      end)
      in_line("V: 2 vectors expected, got 1", function()
        local list = op:pairwise_apply2(VectorArray.ones(3, 1), U) return list
      end)
    end
    in_line("product: 3 x 3 expected, got 2 x 2", function()
      local X = ops.VectorFunctional(U, Matrix.identity(2)) return X
    end)
    in_line("range_basis: dimension 3 expected, got 2", function()
      local X = ops.ProjectedOperator(A, VectorArray.ones(2, 1)) return X
    end)
    in_line("source_basis: VectorArray expected, got table", function()
      local X = ops.ProjectedOperator(A, nil, {}) return X
    end)
  end)

  it("say in the caller's line what is wrong with mu", function()
    local in_line = require "spec.support.refusals".in_line
    local op = ops.LincombOperator({ A, B }, { 1, theta })
    for _, method in ipairs { "apply", "apply_adjoint", "apply_inverse", "apply2" } do
      in_line("mu: table from names to lists expected, got number", function()
        local X = method == "apply2" and op:apply2(U, U, 3) or op[method](op, U, 3) return X
      end)
    end
    for _, method in ipairs { "assemble", "as_range_array", "as_source_array" } do
      in_line("mu: 'a' is a string; number or list of numbers expected", function()
        local X = op[method](op, { a = "0.1" }) return X
      end)
    end
    local singular = ops.LincombOperator({ A, B }, { 0, 0 })
    in_line("Matrix is singular: pivot 1 is 0 for mu = {a = {true, 2}}", function()
      local X = singular:apply_inverse(U, { a = { true, 2 } }) return X
    end)  end)

  it("check what they are made of", function()
    assert.error_matches(function() ops.MatrixOperator(U) end,
      "A: SparseMatrix or Matrix expected, got neap.VectorArray", 1, true)
    assert.error_matches(function() ops.LincombOperator({ A }, { 1, 2 }) end,
      "coefficients: list of 1 expected, got one of 2", 1, true)
    assert.error_matches(function()
      ops.LincombOperator({ A, ops.ZeroOperator(2, 3) }, { 1, 2 })
    end,
      "operators[2]: shape 3 x 3 expected, got 2 x 3", 1, true)
    assert.error_matches(function() ops.LincombOperator({ A }, { "1" }) end,
      "coefficients[1]: number or function of mu expected, got string", 1, true)
    assert.error_matches(function() ops.LincombOperator({}, {}) end,
      "operators: non-empty list expected", 1, true)
    assert.error_matches(function() ops.VectorOperator(A) end,
      "U: VectorArray expected, got neap.Matrix", 1, true)
    assert.error_matches(function() ops.VectorFunctional(U, 3) end,
      "product: Operator, SparseMatrix or Matrix expected, got number", 1, true)
    assert.error_matches(function() ops.IdentityOperator(-1) end, "dim: dimension expected, got -1",
      1, true)
  end)

  it("are solved with when some are dense and some sparse", function()
    local S = neap.SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 3, 4, 5 })
    local sum = ops.LincombOperator({ S, A, ops.IdentityOperator(3) }, { 2, theta, 1 })
    check_linear(sum, mu)
    check_invertible(sum, mu)
    assert.same((2 * S:to_matrix() + 0.5 * A + Matrix.identity(3)):to_table(),
      sum:assemble(mu).matrix:to_table())
    check_invertible(ops.IdentityOperator(3) + 2 * ops.IdentityOperator(3))
  end)

  it("that cannot be assembled are named, in the caller's line", function()
    local Own = ops.Operator:subclass "my.Own"
    function Own:apply(X) return X:copy() end
    local op = Own:new { source = 3, range = 3, linear = true }
    local parametric = Own:new { source = 3, range = 3, linear = true, parametric = true }
    local function expect(text, solve)
      local line = debug.getinfo(solve, "S").linedefined + 1
      local ok, message = pcall(solve)
      assert.is_false(ok)
      assert.equal(("operators_spec.lua:%d: %s"):format(line, text), (message:gsub("^.*/", "")))
    end
    local advice = "my.Own, cannot be assembled: define its assemble(mu), returning a "
      .. "MatrixOperator"
    local matrix = ops.MatrixOperator(A)
    for _, own in ipairs { op, parametric } do
      local sum = matrix * theta - 2 * own
      expect("neap.LincombOperator has no method 'apply_inverse'; operators[2], a " .. advice,
        function()
          local X = sum:apply_inverse(U, mu)
          return X
        end)
      expect("neap.LincombOperator has no method 'apply_inverse_adjoint'; operators[2], a "
        .. advice, function()
          local X = sum:apply_inverse_adjoint(U, mu)
          return X
        end)
      expect("my.Own has no method 'apply_inverse'; define it, or an assemble(mu) that returns a "
        .. "MatrixOperator", function()
          local X = own:apply_inverse(U, mu)
          return X
        end)
    end
  end)

  it("are solved with when they are matrices plus identities and zero", function()
    for _, M in ipairs { A, neap.SparseMatrix.from_triplets(3, 3, { 1, 2, 3, 1 }, { 1, 2, 3, 3 },
      { 2, 3, 4, 1 }) } do
      local shifted = ops.MatrixOperator(M) + 2 * ops.IdentityOperator(3)
        + ops.ZeroOperator(3, 3)
      -- Condition numbers below 3: a few roundings.
      assert.is_true(shifted:apply(shifted:apply_inverse(U)):almost_equal(U))
    end
  end)
end)
