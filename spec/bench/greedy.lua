--- The greedy of examples/thermal_block.lua: n = 50 (5101 unknowns), 19683 parameters, 15
--- extensions. Times of the whole, of evaluation and extension, and of one reduced solve.
--
--     build/neap spec/bench/greedy.lua [repetitions]
--
-- pyMOR takes 58 s for the same greedy in one process and 35 s on two MPI ranks.
local neap = require "neap"
local greedy = require "neap.algorithms.greedy"
local measure = require "spec.bench.measure"
local parameters = require "neap.parameters"
local problems = require "neap.problems"
local reductors = require "neap.reductors"

local repetitions = math.tointeger(tonumber(arg[1] or 5))
local EXTENSIONS = 15

local fom, space = problems.thermal_block { blocks = { 3, 3 }, n = 50 }
local training_set = space:sample_uniformly(3)
local coercivity = parameters.MinThetaFunctional(fom.operator.coefficients,
  { diffusion = { 1, 1, 1, 1, 1, 1, 1, 1, 1 } })

-- One greedy: its result, and the seconds spent in evaluations and in extensions.
local function run(pool)
  collectgarbage()
  local reductor = reductors.CoerciveRBReductor(fom,
    { product = fom.products.energy, coercivity_estimator = coercivity })
  local evaluation, extension = 0, 0
  local result = greedy.rb_greedy(fom, reductor, training_set, {
    max_extensions = EXTENSIONS, pool = pool,
    on_evaluation = function(step)
      evaluation = evaluation + step.evaluation_time
      extension = extension + step.extension_time
    end,
  })
  return result, evaluation, extension
end

local _, assembly = nil, measure.times(repetitions, function()
  local model = problems.thermal_block { blocks = { 3, 3 }, n = 70 }
  assert(model.dim == 9941)
end)
measure.report("assembly, n = 70", assembly, "s", "< 0.1")

local reference, evaluations = nil, {}
for _, workers in ipairs { false, 0, 1, 2 } do
  local pool = workers and neap.pool { workers = workers } or nil
  local name = workers and ("%d workers"):format(workers) or "no pool"
  run(pool) -- caches of the operating system, and of the pool
  local whole, evaluation, extension = {}, {}, {}
  for i = 1, repetitions do
    local result
    result, evaluation[i], extension[i] = run(pool)
    whole[i] = result.time
    reference = reference or result
    for k, err in ipairs(result.max_errs) do
      assert(err == reference.max_errs[k], "results differ")
    end
  end
  if pool then pool:close() end
  evaluations[name] = measure.summary(evaluation)
  measure.report("greedy, " .. name, whole, "s", workers == 2 and "< 0.8" or nil)
  measure.report("  16 evaluations, " .. name, evaluation, "s")
  measure.report("  15 extensions, " .. name, extension, "s")
end
print(("evaluation on two workers / on one: %.3f (<= 0.55)")
  :format(evaluations["2 workers"] / evaluations["1 workers"]))

-- A reduced solve with its estimate, alone and in batches.
local rom = reference.rom
local function microseconds(count, f)
  local list = measure.times(repetitions, f)
  for i = 1, #list do list[i] = list[i] / count * 1e6 end
  return list
end
measure.report("estimate_error(mu)", microseconds(5000, function()
  for i = 1, 5000 do assert(rom:estimate_error(training_set[3 * i])) end
end), "us", "<= 10")
measure.report("output(mu)", microseconds(5000, function()
  for i = 1, 5000 do assert(rom:output(training_set[3 * i])) end
end), "us")
local cache = {}
measure.report("estimate_batch, first time", microseconds(#training_set, function()
  rom.error_estimator:estimate_batch(training_set, rom, {})
end), "us")
rom.error_estimator:estimate_batch(training_set, rom, cache)
measure.report("estimate_batch", microseconds(#training_set, function()
  rom.error_estimator:estimate_batch(training_set, rom, cache)
end), "us", "<= 3")
measure.report("full solve", measure.times(repetitions, (function()
  local i = 0
  return function()
    i = i + 1
    assert(fom:solve(training_set[997 * i]))
  end
end)()), "s")
