describe("StationaryModel", function()
  local neap = require "neap"
  local models = require "neap.models"
  local ops = require "neap.operators"
  require "spec.support.numbers"
  local Matrix, VectorArray = neap.Matrix, neap.VectorArray

  local A = Matrix.from_table { { 2, 1 }, { 0, 4 } }
  local f = VectorArray.from_table { { 4, 8 } }

  it("solves, and has outputs", function()
    local model = models.StationaryModel { operator = A, rhs = f,
      output_functional = VectorArray.from_table { { 1, 0 }, { 1, 1 } } }
    assert.is_false(model.parametric)
    assert.is_true(model.linear)
    assert.equal(2, model.dim)
    assert.same({ { 1, 2 } }, model:solve():to_table())
    assert.same({ { 1 }, { 3 } }, model:output():to_table())
    local results = model:compute(nil, { "output", "solution" })
    assert.same({ { 1 }, { 3 } }, results.output:to_table())
    assert.same({ { 1, 2 } }, results.solution:to_table())
    assert.is_nil(results.solution_error_estimate)
    assert.same({ { 1, 2 } }, model:compute().solution:to_table())
  end)

  it("keeps its arguments as fields", function()
    local model = models.StationaryModel { operator = A, rhs = f, products = { p = A },
      name = "small" }
    assert.equal(A, model.operator.matrix)
    assert.equal(f, model.rhs.array)
    assert.equal(A, model.products.p)
    assert.equal("small", model.name)
    assert.error_matches(function() model.extra = 1 end,
      "neap.StationaryModel is immutable: field 'extra' cannot be set", 1, true)
  end)

  it("takes lists with coefficients, and mu as a number", function()
    local model = models.StationaryModel {
      operator = { A, Matrix.identity(2) }, coefficients = { 1, function(mu) return mu.a[1] end },
      rhs = { f, f }, rhs_coefficients = { 1, function(mu) return mu.a[1] end },
    }
    assert.is_true(model.parametric)
    local U = model:solve { a = 2 }
    assert.close_lists({ 12 / 4 - 1, 4 }, U:to_table()[1], 1e-14)
    assert.same({ 0, 1 }, { model:output({ a = 2 }).rows, model:output({ a = 2 }).cols })
    assert.error_matches(function() return model:solve() end,
      "mu: missing, but the model depends on it", 1, true)
    assert.error_matches(function() return model:solve(3) end,
      "mu: table from names to lists expected, got number", 1, true)
  end)

  it("solves with any operator that can", function()
    local Half = ops.Operator:subclass "my.Half"
    function Half:apply_inverse(V) return 2 * V end
    local model = models.StationaryModel { rhs = f,
      operator = Half:new { source = 2, range = 2, linear = true } }
    assert.same({ { 8, 16 } }, model:solve():to_table())
  end)

  it("uses its error estimator", function()
    local estimator = {
      estimate = function(_, mu) return mu.a[1] end,
      output_errors = function(_, bound) return { bound, 2 * bound } end,
    }
    local model = models.StationaryModel { operator = A, rhs = f, error_estimator = estimator }
    assert.same({ 7 }, model:estimate_error { a = 7 })
    assert.same({ 7, 14 }, model:estimate_output_error { a = 7 })
    local results = model:compute({ a = 7 }, { "solution_error_estimate",
      "output_error_estimate" })
    assert.same({ solution_error_estimate = { 7 }, output_error_estimate = { 7, 14 } }, results)
    assert.error_matches(function()
      return models.StationaryModel { operator = A, rhs = f, name = "plain" }:estimate_error()
    end, "plain has no error estimator", 1, true)
  end)

  it("says what is wrong with mu, in the caller's line", function()
    local fom = require "neap.problems".thermal_block { blocks = { 2, 2 }, n = 4 }
    local in_line = require "spec.support.refusals".in_line
    for expected, mu in pairs {
      ["mu.diffusion[4]: finite number expected, got NaN"] = { diffusion = { 1, 2, 3, 0 / 0 } },
      ["mu.diffusion[1]: finite number expected, got -inf"] = { diffusion = { -1 / 0, 2, 3, 1 } },
      ['mu.diffusion[4]: finite number expected, got "x"'] = { diffusion = { 1, 2, 3, "x" } },
      ["mu: parameter 'diffusion' has 2 components; 4 expected"] = { diffusion = { 1, 2 } },
      ["mu: parameter 'diffusion' has 1 components; 4 expected"] = { diffusion = 1 },
      ["mu: parameter 'diffusion' is missing"] = { difusion = { 1, 2, 3, 4 } },
    } do
      for _, method in ipairs { "solve", "output", "compute" } do
        in_line(expected, function()
          local result = fom[method](fom, mu) return result
        end)
      end
      if not expected:find "1 components" then -- which the model has read as a list
        in_line(expected, function()
          local V = fom.operator:apply(VectorArray.ones(fom.dim, 1), mu) return V
        end)
      end
    end
    local ok, message = pcall(fom.solve, fom, { diffusion = { 0, 0, 0, 0 } })
    assert.is_false(ok)
    assert.matches("^[^:]*stationary_spec.lua:%d+: matrix is singular: .* "
      .. "for mu = {diffusion = {0, 0, 0, 0}}$", message)
    in_line("U: dimension 41 expected, got 3", function()
      local V = fom.operator:apply(VectorArray.ones(3, 1), { diffusion = { 1, 1, 1, 1 } }) return V
    end)
  end)

  it("says which coefficient is none", function()
    local in_line = require "spec.support.refusals".in_line
    for got, value in pairs { ["nil"] = "nothing", NaN = 0 / 0, inf = 1 / 0, ['"1"'] = "1" } do
      local model = models.StationaryModel {
        operator = { A, A }, rhs = f,
        coefficients = { 1, function() if value ~= "nothing" then return value end end },
      }
      in_line(("coefficients[2]: finite number expected, got %s"):format(got), function()
        local U = model:solve {} return U
      end)
    end
    in_line("coefficients[1]: finite number expected, got NaN", function()
      local V = ops.LincombOperator({ A }, { 0 / 0 }):apply(f) return V
    end)
  end)

  it("hands functions a copy of mu", function()
    local seen = {}
    local function greedy_for_more(mu)
      seen[#seen + 1] = mu.a[1]
      mu.a[1], mu.b = 99, { 1 }
      return 1
    end
    local functional = require "neap.parameters".Functional(greedy_for_more, {})
    local model = models.StationaryModel { operator = { A, A, A }, rhs = f,
      coefficients = { greedy_for_more, functional, greedy_for_more } }
    local mu = { a = { 3 } }
    local U = model:solve(mu)
    assert.same({ a = { 3 } }, mu)
    assert.same({ 3, 3, 3 }, seen)
    assert.same({ { 1 / 3, 2 / 3 } }, U:to_table())
    assert.same(3, #model.operator:evaluate_coefficients(neap.immutable { a = { 3 } }))
    assert.equal(3, seen[6])
  end)

  it("notices that a field was set", function()
    for _, name in ipairs { "operator", "rhs", "output_functional" } do
      local model = models.StationaryModel { operator = A, rhs = f }
      rawset(model, name, 3)
      require "spec.support.refusals".in_line("neap.StationaryModel is immutable, but its field '"
        .. name .. "' has been set to a number", function()
          local U = model:solve() return U
        end)
    end
  end)

  it("says what it is", function()
    local fom = require "neap.problems".thermal_block { blocks = { 2, 2 }, n = 4 }
    assert.equal("StationaryModel(41 unknowns, parameters diffusion[4])", tostring(fom))
    assert.equal("LincombOperator(41 x 41, 5 operators, parameters diffusion[4])",
      tostring(fom.operator))
    assert.equal("MatrixOperator(41 x 41, sparse)", tostring(fom.operator.operators[1]))
    assert.equal("StationaryModel(2 unknowns)",
      tostring(models.StationaryModel { operator = A, rhs = f }))
    local Own = ops.Operator:subclass "my.Own"
    local own = Own:new { source = 2, range = 2, parametric = true }
    assert.equal("my.Own(2 x 2, nonlinear, parametric)", tostring(own))
    local known = Own:new { source = 2, range = 2, parametric = true, linear = true,
      parameters = { s = 1, r = 2 } }
    local model = models.StationaryModel { operator = known, rhs = f }
    assert.equal("StationaryModel(2 unknowns, parameters r[2], s)", tostring(model))
    assert.error_matches(function() model:solve { s = 1, r = 2 } end,
      "mu: parameter 'r' has 1 components; 2 expected", 1, true)
  end)

  it("checks its arguments", function()
    local in_line = require "spec.support.refusals".in_line
    in_line("rhs: Operator, SparseMatrix, VectorArray or Matrix expected, got nothing", function()
      local model = models.StationaryModel { operator = A } return model
    end)
    in_line("operator[2]: Operator, SparseMatrix or Matrix expected, got number", function()
      local model = models.StationaryModel { operator = { A, 3 }, coefficients = { 1, 1 }, rhs = f }
      return model
    end)
    local S = models.StationaryModel
    assert.error_matches(function() S { operator = f, rhs = f } end,
      "operator: Operator, SparseMatrix or Matrix expected, got neap.VectorArray", 1, true)
    assert.error_matches(function() S { operator = Matrix.zeros(2, 3), rhs = f } end,
      "operator: square operator expected, got 2 x 3", 1, true)
    assert.error_matches(function() S { operator = A, rhs = VectorArray.ones(3, 1) } end,
      "rhs: 2 x 1 expected, got 3 x 1", 1, true)
    assert.error_matches(function() S { operator = A, rhs = VectorArray.ones(2, 2) } end,
      "rhs: 2 x 1 expected, got 2 x 2", 1, true)
    assert.error_matches(function()
      S { operator = A, rhs = f, output_functional = VectorArray.ones(3, 1) }
    end, "output_functional: source of dimension 2 expected, got 3", 1, true)
    assert.error_matches(function()
      S { operator = A, rhs = f, products = { l2 = Matrix.zeros(3, 3) } }
    end, "products.l2: 2 x 2 expected, got 3 x 3", 1, true)
    assert.error_matches(function() S { operator = { A, A }, rhs = f, coefficients = { 1 } } end,
      "operator: list of 2 coefficients expected beside it", 1, true)
    assert.error_matches(function() S { operator = A, rhs = f, coefficients = { 1 } } end,
      "operator: list expected beside its coefficients", 1, true)
    assert.error_matches(function() S { operator = A, rhs = f, outputs = f } end,
      "unknown option 'outputs'", 1, true)
    assert.error_matches(function()
      S { operator = A, rhs = f }:compute(nil, { "solutions" })
    end, "unknown quantity 'solutions'", 1, true)
  end)
end)
