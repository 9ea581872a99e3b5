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

  it("checks its arguments", function()
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
