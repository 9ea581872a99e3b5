--- Weak greedy: extend where the error is largest, again and again.
local blame = require "neap.blame"
local checkpoint = require "neap.algorithms.checkpoint"
local clock = require "host.clock"
local direct = require "neap.direct"
local options_ = require "neap.options"
local mu_ = require "neap.parameters.mu"
local norms = require "neap.algorithms.norms"
local ExtensionError = require "neap.reductors.extension_error"
local RBSurrogate = require "neap.algorithms.rb_surrogate"

local M = {}

local SPEC = {
  atol = 0.0, rtol = 0.0, max_extensions = math.huge, pool = options_.any,
  on_evaluation = options_.any, checkpoint = options_.any,
}

local function is_tolerance(x) return type(x) == "number" and x >= 0 end

local function is_count(x)
  return type(x) == "number" and x >= 0 and (x == math.huge or x % 1 == 0)
end

local function is_pool(x)
  return type(x) == "table" and type(x.apply) == "function" and type(x.scatter_list) == "function"
end

local CHECKS = {
  atol = { is_tolerance, "number from 0" }, rtol = { is_tolerance, "number from 0" },
  max_extensions = { is_count, "integer from 0" }, pool = { is_pool, "WorkerPool" },
  on_evaluation = { options_.is_callable, "function" },
}

-- The options and the training set of both greedys.
local function check(o, training_set, parameters, level)
  options_.check(o, CHECKS, level + 1)
  if o.pool and o.pool._core and o.pool._core:is_closed() then
    error("option 'pool': the pool is closed", level + 1)
  end
  if o.checkpoint ~= nil and type(o.checkpoint) ~= "string" then
    error(("option 'checkpoint': path expected, got %s"):format(type(o.checkpoint)), level + 1)
  end
  if type(training_set) ~= "table" then
    error(("training_set: list of mu expected, got %s"):format(type(training_set)), level + 1)
  elseif #training_set == 0 then
    error("training_set: at least one mu expected, got none", level + 1)
  end
  for i = 1, #training_set do
    local mu, what = training_set[i], ("training_set[%d]"):format(i)
    if type(mu) ~= "table" then
      error(("%s: mu expected, got %s"):format(what, options_.kind(mu)), level + 1)
    end
    if next(parameters) ~= nil then mu_.check(mu, parameters, what) end
  end
end

-- Where the largest error is, the first among equals, and how large.
local function evaluate(surrogate, mus, pool)
  if surrogate.max_error then
    local err, at = surrogate:max_error(mus, pool)
    return { index = at, err = err }
  end
  local errors = surrogate:evaluate(mus, pool)
  if #errors ~= #mus then
    blame(("surrogate: %d errors expected, got %d"):format(#mus, #errors))
  end
  local index, err = 1, errors[1]
  for i = 1, #errors do
    local e = errors[i]
    if e ~= e then blame(("the error of parameter %d is NaN"):format(i)) end
    if e > err then index, err = i, e end
  end
  return { index = index, err = err }
end

local function has_converged(err, first, o)
  return err <= o.atol or err <= o.rtol * first
end

-- False when the surrogate cannot be extended any further.
local function extend(surrogate, mu)
  local ok, message = pcall(surrogate.extend, surrogate, mu)
  if ok then return true end
  if getmetatable(message) == ExtensionError then return false end
  error(message, 0)
end

---@class GreedyResult
---@field max_errs number[]     max_errs[k + 1] belongs to k extensions
---@field max_err_mus table[]   where they occur: entries of the training set
---@field extensions integer
---@field time number           seconds

--- Extends a surrogate at the parameter with the largest error until it is small enough.
---
--- Options: `atol`, `rtol` (relative to the first error), `max_extensions`: when to stop; it also
--- stops when an extension adds nothing. `pool`: where the surrogate evaluates.
--- `checkpoint`: a file that each extension is recorded in; a run that finds it there repeats the
--- extensions without evaluations, and goes on. `on_evaluation(step)` is called after each
--- evaluation of the training set with {extensions, max_err, max_err_mu, evaluation_time,
--- extension_time}.
---@param surrogate table  with extend(mu), and with evaluate(mus, pool) -> list of errors in the
---  order of mus, or max_error(mus, pool) -> the largest of them, index of the first such
---@param training_set table[]  at least one
---@param options? table
---@return GreedyResult
function M.weak_greedy(surrogate, training_set, options)
  local o = options_.parse(options, SPEC, 2)
  if type(surrogate) ~= "table" or not options_.is_callable(surrogate.extend) then
    error(("surrogate: table with a method 'extend' expected, got %s")
      :format(options_.describe(surrogate)), 2)
  end
  check(o, training_set, {}, 2)
  local steps = o.checkpoint and checkpoint.read(o.checkpoint, training_set, 2) or {}
  local pool, start, extension_time = o.pool or direct.pool, clock.now(), 0.0
  local result = { max_errs = {}, max_err_mus = {}, extensions = 0, time = 0.0 }
  while true do
    local before, k = clock.now(), result.extensions
    local is_known = steps[k + 1] ~= nil
    local step = steps[k + 1] or evaluate(surrogate, training_set, pool)
    local err, mu = step.err, training_set[step.index]
    result.max_errs[k + 1], result.max_err_mus[k + 1] = err, mu
    local after = clock.now()
    if o.on_evaluation then
      o.on_evaluation { extensions = k, max_err = err, max_err_mu = mu,
                        evaluation_time = after - before, extension_time = extension_time }
    end
    if has_converged(err, result.max_errs[1], o) or k >= o.max_extensions
      or not extend(surrogate, mu) then break end
    steps[k + 1], result.extensions = step, k + 1
    if o.checkpoint and not is_known then checkpoint.write(o.checkpoint, training_set, steps) end
    extension_time = clock.now() - after
  end
  result.time = clock.now() - start
  return result
end

local RB_SPEC = {
  use_error_estimator = true, error_norm = options_.any, extension_params = options_.any,
}
for name, default in pairs(SPEC) do RB_SPEC[name] = default end

--- Weak greedy for a reduced basis model.
---
--- Options: those of weak_greedy, and `use_error_estimator` (default true; else the true error,
--- which takes a full solution for every parameter), `error_norm` (of the true error: nil, "sup",
--- a product, or a function of U that returns a list), `extension_params` (the options of
--- reductor:extend_basis).
---@param fom table
---@param reductor table  extended in place
---@param training_set table[]  at least one
---@param options? table
---@return GreedyResult  with the reduced model `rom`
function M.rb_greedy(fom, reductor, training_set, options)
  local o = options_.parse(options, RB_SPEC, 2)
  if type(fom) ~= "table" or not fom.is_model then
    error(("fom: model expected, got %s"):format(options_.describe(fom)), 2)
  end
  if type(reductor) ~= "table" or not options_.is_callable(reductor.reduce)
    or not options_.is_callable(reductor.extend_basis) then
    error(("reductor: reductor expected, got %s"):format(options_.describe(reductor)), 2)
  end
  check(o, training_set, fom.parameters or {}, 2)
  norms.reader(o.error_norm, 2, fom.dim)
  local rom = reductor:reduce()
  if o.use_error_estimator and rom.error_estimator == nil then
    error("reductor: its model has no error estimator; use_error_estimator = false?", 2)
  end
  local surrogate <close> = RBSurrogate(fom, reductor, rom, o)
  local passed_on = {}
  for name in pairs(SPEC) do passed_on[name] = o[name] end
  local result = M.weak_greedy(surrogate, training_set, passed_on)
  result.rom = surrogate.rom
  return result
end

return M
