--- Reduced basis for the thermal block: heat conduction in a square of 3 x 3 blocks, each with a
--- conductivity of its own between 0.1 and 1.
--
--     neap [--workers N] examples/thermal_block.lua [folder for pictures]
local neap = require "neap"
local clock = require "host.clock"
local greedy = require "neap.algorithms.greedy"
local parameters = require "neap.parameters"
local plot = require "neap.plot"
local problems = require "neap.problems"
local reductors = require "neap.reductors"

local folder = arg[1] or "."
local pool <close> = neap.pool {}

-- The full-order model, and the parameters that the reduced one is trained on.
local fom, space, grid = problems.thermal_block { blocks = { 3, 3 }, n = 70 }
local energy = fom.products.energy
local training_set = space:sample_uniformly(3)
print(("thermal block 3 x 3: %d unknowns, %d training parameters, %d workers (%s)")
  :format(fom.dim, #training_set, #pool, pool.transport))

-- A(mu) is at least as coercive as the energy product, A(1, ..., 1), times this functional.
local mu_bar = { diffusion = { 1, 1, 1, 1, 1, 1, 1, 1, 1 } }
local coercivity = parameters.MinThetaFunctional(fom.operator.coefficients, mu_bar)
local reductor = reductors.CoerciveRBReductor(fom,
  { product = energy, coercivity_estimator = coercivity })

-- The weak greedy extends the basis by the solution for the parameter with the largest estimate.
local function diffusion(mu)
  local words = {}
  for i, x in ipairs(mu.diffusion) do words[i] = ("%.2f"):format(x) end
  return table.concat(words, " ")
end
print "\n basis   largest estimate   at diffusion"
local result = greedy.rb_greedy(fom, reductor, training_set, {
  max_extensions = 30, rtol = 1e-3, pool = pool,
  on_evaluation = function(step)
    if step.extensions % 3 == 0 then
      print((" %4d    %.6e       %s"):format(step.extensions, step.max_err,
        diffusion(step.max_err_mu)))
    end
  end,
})
print(("%d extensions in %.2f s"):format(result.extensions, result.time))

-- The reduced models of all sizes against the full one, for parameters not trained on.
local test_mus = space:sample_randomly(20, 1)
local solutions = {}
local start = clock.now()
for i, mu in ipairs(test_mus) do solutions[i] = fom:solve(mu) end
local fom_seconds = (clock.now() - start) / #test_mus

print(("\n basis   largest error   effectivity (estimate / error), %d random parameters")
  :format(#test_mus))
local max_errors = {}
for dim = 0, result.rom.dim do
  local rom = reductor:reduce(dim)
  local largest, least_eff, largest_eff = 0, math.huge, 0
  for i, mu in ipairs(test_mus) do
    local err = (solutions[i] - reductor:reconstruct(rom:solve(mu))):norm(energy)[1]
    local effectivity = rom:estimate_error(mu)[1] / err
    largest = math.max(largest, err)
    least_eff = math.min(least_eff, effectivity)
    largest_eff = math.max(largest_eff, effectivity)
  end
  max_errors[dim + 1] = largest
  if dim % 5 == 0 then
    print((" %4d    %.4e      %.2f to %.2f"):format(dim, largest, least_eff, largest_eff))
  end
end

-- What the reduced model is for: outputs with a bound of the error, fast.
local rom, repetitions = result.rom, 1000
start = clock.now()
for i = 1, repetitions do
  local quantities = rom:compute(test_mus[i % #test_mus + 1], { "output", "output_error_estimate" })
  assert(quantities.output)
end
local rom_seconds = (clock.now() - start) / repetitions
local mu = test_mus[1]
print(("\nmean temperature %.8f, reduced %.8f, error at most %.1e"):format(
  fom:output(mu):get(1, 1), rom:output(mu):get(1, 1), rom:estimate_output_error(mu)[1]))
print(("full solution %.2f ms, reduced output with bound %.1f us: %.0f times faster")
  :format(1e3 * fom_seconds, 1e6 * rom_seconds, fom_seconds / rom_seconds))

plot.decay({
  { label = ("largest estimate, %d training parameters"):format(#training_set),
    values = result.max_errs },
  { label = ("largest error, %d test parameters"):format(#test_mus), values = max_errors },
}, { file = folder .. "/thermal_block_error.png", ylabel = "error in the energy norm",
     title = "Weak greedy for the thermal block 3 x 3" })
local worst = result.max_err_mus[#result.max_err_mus]
plot.field(fom:solve(worst), grid, { file = folder .. "/thermal_block_solution.png",
  title = "Temperature for diffusion " .. diffusion(worst), label = "temperature" })
print(("pictures: %s/thermal_block_error.png, %s/thermal_block_solution.png")
  :format(folder, folder))
