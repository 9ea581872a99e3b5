describe("thermal_block", function()
  local neap = require "neap"
  local thermal_block = require "neap.problems".thermal_block
  require "spec.support.numbers"
  local reference = require "spec.support.reference"

  local fom, space, grid = thermal_block { blocks = { 2, 2 }, n = 30 }
  local data = reference.json "thermalblock/fom.json"

  -- Entries that are not 0, as "row column" -> value; keep(i, j) chooses.
  local function entries(A, keep)
    local rows, cols, values = A:triplets()
    local map, count = {}, 0
    for k = 1, #rows do
      if values[k] ~= 0 and (keep == nil or keep(rows[k], cols[k])) then
        map[rows[k] .. " " .. cols[k]] = values[k]
        count = count + 1
      end
    end
    return map, count
  end

  -- Equal up to rounding of single entries.
  local function same_matrices(expected, actual, keep)
    local a, n = entries(expected, keep)
    local b, m = entries(actual)
    assert.equal(n, m)
    for place, value in pairs(a) do
      local other = b[place]
      assert.is_true(other ~= nil and math.abs(other - value) <= 1e-14 * math.abs(value), place)
    end
  end

  it("assembles the operator of the reference, made symmetric", function()
    local is_boundary = {}
    for _, v in ipairs(grid.boundary) do is_boundary[v] = true end
    assert.same({ 1861, 5, 120 }, { fom.dim, #fom.operator.operators, #grid.boundary })
    same_matrices(reference.load "thermalblock/A_boundary.mtx", fom.operator.operators[1].matrix)
    for q = 1, 4 do
      -- The reference keeps entries in columns of the boundary, where all solutions are 0.
      same_matrices(reference.load(("thermalblock/A_%d.mtx"):format(q)),
        fom.operator.operators[q + 1].matrix, function(_, j) return not is_boundary[j] end)
    end
  end)

  it("assembles products, right-hand side and output of the reference", function()
    same_matrices(reference.load "thermalblock/product_energy.mtx", fom.products.energy)
    same_matrices(reference.load "thermalblock/product_l2.mtx", fom.products.l2)
    local f, l = fom.rhs:as_range_array(), fom.output_functional:as_source_array()
    assert.is_true(f:almost_equal(reference.load "thermalblock/rhs.npy",
      { rtol = 1e-14, atol = 0 }))
    assert.is_true(l:almost_equal(reference.load "thermalblock/output.npy",
      { rtol = 1e-14, atol = 0 }))
  end)

  it("has the solutions of the reference", function()
    local solutions = reference.load "thermalblock/solutions.npy"
    for k, facts in ipairs(data.facts) do
      local mu = { diffusion = facts.mu }
      local U = fom:solve(mu)
      -- 1e-11 relative, as the reference says.
      assert.is_true(U:almost_equal(solutions[k], { rtol = 1e-11, atol = 0 }))
      local places, values = U:amax()
      assert.equal(facts.argmax + 1, places[1])
      assert.close_lists({
        facts.norm_l2_dofs, facts.norm_energy, facts.norm_l2, facts.sup_norm, facts.output,
        facts.compliance, facts.norm_energy_mu,
      }, {
        U:norm()[1], U:norm(fom.products.energy)[1], U:norm(fom.products.l2)[1], values[1],
        fom:output(mu):get(1, 1), fom.rhs:as_range_array():inner(U):get(1, 1),
        U:norm(fom.operator:assemble(mu))[1],
      }, 1e-11)
    end
  end)

  it("agrees with the operator of the reference, whose columns are not eliminated", function()
    local matrices = { reference.load "thermalblock/A_boundary.mtx" }
    for q = 1, 4 do matrices[q + 1] = reference.load(("thermalblock/A_%d.mtx"):format(q)) end
    local mu = { diffusion = { 0.1, 0.7, 1, 0.3 } }
    local A = neap.SparseMatrix.lincomb({ 1, table.unpack(mu.diffusion) }, matrices)
    local U = A:apply_inverse(reference.load "thermalblock/rhs.npy")
    assert.is_true(fom:solve(mu):almost_equal(U, { rtol = 1e-11, atol = 0 }))
  end)

  it("returns its parameter space", function()
    assert.same({ diffusion = 4 }, space.parameters)
    assert.same({ diffusion = { 0.1, 1.0 } }, space.ranges)
    assert.equal(0.2, thermal_block { blocks = { 1, 1 }, n = 1, range = { 0.2, 2 } }
      and select(2, thermal_block { blocks = { 1, 1 }, n = 1, range = { 0.2, 2 } })
        .ranges.diffusion[1])
  end)

  it("converges with order 2 to the exact solution for equal conductivities", function()
    -- Mean of the solution of -Laplace u = 1 on the unit square.
    local exact, pi = 0, math.pi
    for i = 1, 399, 2 do
      for j = 1, 399, 2 do exact = exact + 64 / (pi ^ 6 * i * i * j * j * (i * i + j * j)) end
    end
    local errors = {}
    for k, n in ipairs { 8, 16, 32 } do
      local model = thermal_block { blocks = { 2, 3 }, n = n }
      errors[k] = math.abs(model:output { diffusion = { 1, 1, 1, 1, 1, 1 } }:get(1, 1) - exact)
    end
    assert.near(4, errors[1] / errors[2], 0.2)
    assert.near(4, errors[2] / errors[3], 0.2)
  end)

  it("splits blocks that end within a square between its triangles", function()
    local model, _, g = thermal_block { blocks = { 3, 3 }, n = 10 }
    local ones = {}
    for q = 1, 10 do ones[q] = 1 end
    local terms = {}
    for q, A in ipairs(model.operator.operators) do terms[q] = A.matrix end
    local whole = thermal_block { blocks = { 1, 1 }, n = 10 }
    same_matrices(whole.products.energy, neap.SparseMatrix.lincomb(ones, terms))
    -- 1/9 of the square each, up to the triangles along the edges.
    local x = neap.VectorArray.from_function(g.dim, 1, function(v)
      return v <= 121 and ((v - 1) % 11) / 10 or ((v - 122) % 10 + 0.5) / 10
    end)
    for _, v in ipairs(g.boundary) do x:set(v, 1, 0) end
    for q = 2, 10 do assert.is_true(terms[q]:apply2(x, x):get(1, 1) > 0) end
  end)

  it("turns a solution into a raster", function()
    local _, _, g = thermal_block { blocks = { 1, 1 }, n = 1 }
    local U = neap.VectorArray.from_table { { 1, 2, 3, 5, 10 } }
    assert.same({ { 1, 1.5, 2 }, { 2, 10, 3.5 }, { 3, 4, 5 } }, g:raster(U))
  end)

  it("checks its options", function()
    assert.error_matches(function() thermal_block { blocks = { 0, 1 } } end,
      "option 'blocks': numbers of blocks in x and y expected", 1, true)
    assert.error_matches(function() thermal_block { n = 2 } end,
      "option 'n': at least one square for each block expected, got 2", 1, true)
    assert.error_matches(function() thermal_block { range = { 0, 1 } } end,
      "option 'range': {lo, hi} with 0 < lo <= hi expected", 1, true)
    assert.error_matches(function() thermal_block { block = { 0, 1 } } end,
      "unknown option 'block' (known: blocks, n, range)", 1, true)
  end)

  it("needs every component of its parameter", function()
    assert.error_matches(function() return fom:solve { diffusion = { 1, 2 } } end,
      "mu: parameter 'diffusion' has 2 components; 4 expected", 1, true)
    assert.error_matches(function() return fom:solve {} end,
      "mu: parameter 'diffusion' is missing", 1, true)
    assert.error_matches(function() return fom:solve() end,
      "mu: missing, but the model depends on it", 1, true)
  end)

end)
