describe("reductors", function()
  local neap = require "neap"
  local models = require "neap.models"
  local operators = require "neap.operators"
  local reductors = require "neap.reductors"
  local greedy = require "neap.algorithms.greedy"
  local reference = require "spec.support.reference"
  local thermal_block = require "neap.problems".thermal_block
  local numbers = require "spec.support.numbers"
  local VectorArray, Matrix = neap.VectorArray, neap.Matrix

  local fom = thermal_block { blocks = { 2, 2 }, n = 30 }
  local energy = fom.products.energy
  local data = reference.json "thermalblock/errors.json"
  local test_mus = reference.mus("thermalblock/test_list.npy", "diffusion")
  local RB = reference.load "thermalblock/basis_list_run.npy"

  local function coercivity(mu) return math.min(table.unpack(mu.diffusion)) end

  it("give errors, estimates and effectivities of the reference, for every basis size", function()
    local reductor = reductors.CoerciveRBReductor(fom,
      { RB = RB, product = energy, coercivity_estimator = coercivity })
    for row, k in ipairs(data.dims) do
      local rom = reductor:reduce(k)
      assert.equal(k, rom.dim)
      local errors, estimates, effectivities, outputs, bounds = {}, {}, {}, {}, {}
      for i, mu in ipairs(test_mus) do
        local U = fom:solve(mu)
        U:axpy(-1, reductor:reconstruct(rom:solve(mu)))
        errors[i], estimates[i] = U:norm(energy)[1], rom:estimate_error(mu)[1]
        effectivities[i] = estimates[i] / errors[i]
        outputs[i] = math.abs(fom:output(mu):get(1, 1) - rom:output(mu):get(1, 1))
        bounds[i] = rom:estimate_output_error(mu)[1]
        assert.is_true(estimates[i] >= errors[i])
        assert.is_true(bounds[i] >= outputs[i])
      end
      -- 1e-5 relative for values above 1e-7, 1e-12 absolute below, as the reference says.
      assert.close_lists(data.error_energy[row], errors, 1e-5, 1e-12)
      assert.close_lists(data.estimate[row], estimates, 1e-5, 1e-12)
      assert.close_lists(data.output_error[row], outputs, 1e-5, 1e-12)
      assert.close_lists(data.output_estimate[row], bounds, 1e-5, 1e-12)
      for i, effectivity in ipairs(data.effectivity_estimate_over_error[row]) do
        if data.error_energy[row][i] > 1e-7 then
          assert.near(effectivity, effectivities[i], 2e-5 * effectivity)
        end
      end
    end
  end)

  it("give the same model for a part of the basis as for that basis alone", function()
    local whole = reductors.CoerciveRBReductor(fom, { RB = RB, product = energy })
    for _, k in ipairs { 0, 1, 7, 20 } do
      local alone = reductors.CoerciveRBReductor(fom, { RB = RB:slice(1, k), product = energy })
      local part, rom = whole:reduce(k), alone:reduce()
      for _, mu in ipairs(test_mus) do
        assert.close_lists(rom:solve(mu):to_table()[1], part:solve(mu):to_table()[1], 0, 1e-12)
        assert.close_lists(rom:estimate_error(mu), part:estimate_error(mu), 1e-9, 1e-14)
        assert.close_lists(rom:estimate_output_error(mu), part:estimate_output_error(mu), 1e-9,
          1e-14)
        assert.near(rom:output(mu):get(1, 1), part:output(mu):get(1, 1), 1e-14)
      end
      assert.close_lists(numbers.entries(rom.products.energy),
        numbers.entries(part.products.energy), 0, 1e-13)
    end
  end)

  it("have a legal model of dimension 0", function()
    local reductor = reductors.CoerciveRBReductor(fom,
      { product = energy, coercivity_estimator = coercivity })
    local rom = reductor:reduce()
    assert.equal(0, rom.dim)
    local mu = test_mus[1]
    assert.same({ 0, 1 }, { rom:solve(mu).dim, #rom:solve(mu) })
    assert.equal(0.0, rom:output(mu):get(1, 1))
    -- The dual norm of the right-hand side over the bound.
    local expected = reference.json "thermalblock/fom.json".rhs_dual_norm / coercivity(mu)
    assert.near(expected, rom:estimate_error(mu)[1], 1e-11 * expected)
    assert.equal(0.0, reductor:reconstruct(rom:solve(mu)):norm()[1])
  end)

  it("reproduce the solutions that the basis is made of", function()
    local reductor = reductors.CoerciveRBReductor(fom, { product = energy })
    for k = 1, 3 do
      local RB_before = reductor.bases.RB
      reductor:extend_basis(fom:solve(test_mus[k]))
      assert.equal(k, #reductor.bases.RB)
      assert.equal(k - 1, #RB_before)
    end
    local rom = reductor:reduce()
    assert.equal(rom, reductor:reduce(3))
    for k = 1, 3 do
      local U = fom:solve(test_mus[k])
      assert.is_true(reductor:reconstruct(rom:solve(test_mus[k]))
        :almost_equal(U, { rtol = 1e-12, product = energy }))
      assert.is_true(rom:estimate_error(test_mus[k])[1] < 1e-12)
    end
  end)

  it("bound the error of small systems without product, with several outputs", function()
    -- A1 + a A2 with A1, A2 positive semidefinite; the coercivity constant is known.
    local A1 = Matrix.diag { 1, 2, 3, 4 }
    local A2 = Matrix.from_table { { 1, 1, 0, 0 }, { 1, 1, 0, 0 }, { 0, 0, 0, 0 }, { 0, 0, 0, 1 } }
    local model = models.StationaryModel {
      operator = { A1, A2 }, coefficients = { 1, function(mu) return mu.a[1] end },
      rhs = { VectorArray.from_table { { 1, 2, 3, 4 } },
        VectorArray.from_table { { 0, 1, 0, 1 } } },
      rhs_coefficients = { function(mu) return 1 + mu.a[1] end, 2 },
      output_functional = { VectorArray.from_table { { 1, 1, 1, 1 }, { 0, 1, 0, 0 } },
        VectorArray.from_table { { 0, 0, 0, 1 }, { 1, 0, 0, 0 } } },
      output_coefficients = { 1, function(mu) return -mu.a[1] end },
    }
    local reductor = reductors.CoerciveRBReductor(model)
    reductor:extend_basis(model:solve { a = 1 })
    for _, k in ipairs { 0, 1 } do
      local rom = reductor:reduce(k)
      for _, a in ipairs { 0, 0.3, 1, 5 } do
        local U = model:solve { a = a }
        U:axpy(-1, reductor:reconstruct(rom:solve { a = a }))
        local bound = rom:estimate_error({ a = a })[1]
        assert.is_true(U:norm()[1] <= bound + 1e-14)
        local difference = model:output { a = a } - rom:output { a = a }
        local bounds = rom:estimate_output_error { a = a }
        assert.equal(2, #bounds)
        for i = 1, 2 do assert.is_true(math.abs(difference:get(i, 1)) <= bounds[i] + 1e-14) end
        -- One solution by a factorisation, one by the estimator: a few roundings apart.
        local l = rom.output_functional
        assert.close_lists(l:apply(rom:solve { a = a }, { a = { a } }):to_table()[1],
          rom:output({ a = a }):T():to_table()[1], 0, 1e-13)
        for _, others in ipairs { {}, { "solution" }, { "output_error_estimate" },
          { "solution", "solution_error_estimate" } } do
          local results = rom:compute({ a = a }, { "output", table.unpack(others) })
          assert.same(rom:output({ a = a }):to_table(), results.output:to_table())
        end
      end
    end
  end)

  it("make models that can be solved of operators that are no matrices", function()
    -- (1 + a) I + a A as a user's own operator: the solution of the full system is known.
    local A = Matrix.from_table { { 2, 1, 0 }, { 1, 3, 1 }, { 0, 1, 4 } }
    local function matrix(mu) return (1 + mu.a[1]) * Matrix.identity(3) + mu.a[1] * A end
    local Own = operators.Operator:subclass "my.Own"
    function Own:apply(U, mu) return matrix(mu):apply(U) end
    function Own:apply_inverse(V, mu) return matrix(mu):solve(V) end
    local Load = operators.Operator:subclass "my.Load"
    function Load:apply(U, mu) return VectorArray.from_table { { 1, mu.a[1], 2 } }:lincomb(
      U:dofs { 1 }) end
    local model = models.StationaryModel {
      operator = Own:new { source = 3, range = 3, linear = true, parametric = true },
      rhs = Load:new { source = 1, range = 3, linear = true, parametric = true },
      output_functional = VectorArray.from_table { { 1, 1, 1 } }, products = { a = A },
    }
    local reductor = reductors.StationaryRBReductor(model, { product = A })
    local mus = { { a = { 0.5 } }, { a = { 2 } }, { a = { 1 } } }
    for k = 1, 2 do reductor:extend_basis(model:solve(mus[k])) end
    local rom = reductor:reduce()
    for k = 1, 2 do -- the snapshots come back, up to a few roundings
      local U = reductor:reconstruct(rom:solve(mus[k]))
      assert.is_true(U:almost_equal(model:solve(mus[k]), { rtol = 1e-13 }))
      assert.close_lists(numbers.entries(model:output(mus[k])),
        numbers.entries(rom:output(mus[k])), 1e-13)
    end
    -- Elsewhere and for a part of the basis: Galerkin's equations, written down with the basis.
    for _, k in ipairs { 0, 1, 2 } do
      local basis = reductor.bases.RB:slice(1, k)
      local u = reductor:reduce(k):solve(mus[3])
      local f = VectorArray.from_table { { 1, 1, 2 } }
      local expected = basis:inner(basis, matrix(mus[3])):solve(basis:inner(f))
      assert.close_lists(numbers.entries(expected), k > 0 and u:to_table()[1] or {}, 1e-13)
    end
    local result = greedy.rb_greedy(model, reductors.StationaryRBReductor(model), mus,
      { use_error_estimator = false, max_extensions = 2 })
    assert.equal(2, result.extensions)
  end)

  it("extend trivially on request", function()
    local reductor = reductors.StationaryRBReductor(fom)
    local U = VectorArray.random(fom.dim, 2, { seed = 1 })
    reductor:extend_basis(U, { method = "trivial" })
    assert.is_true(reductor.bases.RB:almost_equal(U))
    assert.error_matches(function() reductor:extend_basis(U, { method = "trivial" }) end,
      "the basis does not grow", 1, true)
  end)

  it("raise an error of its own kind when the basis does not grow", function()
    local reductor = reductors.StationaryRBReductor(fom, { product = energy })
    local U = fom:solve(test_mus[1])
    reductor:extend_basis(U)
    local ok, message = pcall(reductor.extend_basis, reductor, U)
    assert.is_false(ok)
    assert.equal(reductors.ExtensionError, getmetatable(message))
    assert.equal(1, #reductor.bases.RB)
  end)

  it("check their arguments", function()
    local in_line = require "spec.support.refusals".in_line
    for _, class in pairs { reductors.StationaryRBReductor, reductors.CoerciveRBReductor } do
      in_line("product: 1861 x 1861 expected, got 3 x 3", function()
        local reductor = class(fom, { product = Matrix.identity(3) }) return reductor
      end)
      in_line("fom: model expected, got neap.MatrixOperator", function()
        local reductor = class(operators.MatrixOperator(Matrix.identity(3))) return reductor
      end)
      local reductor = class(fom)
      assert.matches("RBReductor(1861 unknowns, 0 basis vectors)", tostring(reductor), 1, true)
      local U = fom:solve(test_mus[1])
      reductor:extend_basis(U)
      assert.matches("RBReductor(1861 unknowns, 1 basis vector)", tostring(reductor), 1, true)
      in_line("the basis does not grow: U is in its span already", function()
        reductor:extend_basis(U)
      end)
    end
    local R = reductors.CoerciveRBReductor
    assert.error_matches(function() R(3) end, "fom: model expected, got number", 1, true)
    assert.error_matches(function() R(fom, { RB = VectorArray.ones(3, 1) }) end,
      "option 'RB': VectorArray of dimension 1861 expected", 1, true)
    assert.error_matches(function() R(fom, { RB = VectorArray.ones(1861, 1) }) end,
      "option 'RB': the vectors are not orthonormal in the product", 1, true)
    assert.error_matches(function() R(fom, { products = 1 }) end, "unknown option 'products'", 1,
      true)
    assert.error_matches(function() R(fom, { coercivity_estimator = "min" }) end,
      "option 'coercivity_estimator': number or function of mu expected, got string", 1, true)
    local reductor = R(fom)
    assert.error_matches(function() return reductor:reduce(1) end,
      "dim: integer from 0 to 0 expected, got 1", 1, true)
    assert.error_matches(function() reductor:extend_basis(VectorArray.ones(3, 1)) end,
      "U: VectorArray of dimension 1861 expected", 1, true)
    assert.error_matches(function() reductor:extend_basis(RB, { method = "pod" }) end,
      "option 'method': \"gram_schmidt\" or \"trivial\" expected, got \"pod\"", 1, true)
    assert.error_matches(function() return reductor:reconstruct(VectorArray.ones(3, 1)) end,
      "u: VectorArray of dimension up to 0 expected", 1, true)
    assert.error_matches(function()
      return R(fom, { coercivity_estimator = -1 }):reduce():estimate_error(test_mus[1])
    end, "coercivity_estimator: -1 for a parameter; positive number expected", 1, true)
  end)
end)
