--- Weak greedy: extend where the error is largest, again and again.
local class = require "neap.class"
local clock = require "host.clock"
local direct = require "neap.direct"
local options_ = require "neap.options"
local ExtensionError = require "neap.reductors.extension_error"
local evaluation = require "neap.algorithms.greedy_evaluation"

local M = {}

local SPEC = {
  atol = 0.0, rtol = 0.0, max_extensions = math.huge, pool = options_.any,
  on_evaluation = options_.any,
}

-- The index of the largest error, the first among equals.
local function largest(errors, mus)
  if #errors ~= #mus then
    error(("surrogate: %d errors expected, got %d"):format(#mus, #errors), 0)
  end
  local worst = 1
  for i = 1, #errors do
    if errors[i] ~= errors[i] then error(("the error of parameter %d is NaN"):format(i), 0) end
    if errors[i] > errors[worst] then worst = i end
  end
  return worst
end

local function has_converged(err, first, o)
  return err <= o.atol or err <= o.rtol * first or err == 0 and o.rtol > 0
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
--- `on_evaluation(step)` is called after each evaluation of the training set with
--- {extensions, max_err, max_err_mu, evaluation_time, extension_time}.
---@param surrogate table  with evaluate(mus, pool) -> list of errors in the order of mus, and
---  extend(mu)
---@param training_set table[]
---@param options? table
---@return GreedyResult
function M.weak_greedy(surrogate, training_set, options)
  local o = options_.parse(options, SPEC, 2)
  if type(training_set) ~= "table" then
    error(("training_set: list of mu expected, got %s"):format(type(training_set)), 2)
  end
  local pool = o.pool or direct.pool
  local start = clock.now()
  local result = { max_errs = {}, max_err_mus = {}, extensions = 0, time = 0.0 }
  local extension_time = 0.0
  while #training_set > 0 do
    local before = clock.now()
    local errors = surrogate:evaluate(training_set, pool)
    local worst = largest(errors, training_set)
    local err, mu = errors[worst], training_set[worst]
    local k = result.extensions
    result.max_errs[k + 1], result.max_err_mus[k + 1] = err, mu
    local after = clock.now()
    if o.on_evaluation then
      o.on_evaluation { extensions = k, max_err = err, max_err_mu = mu,
                        evaluation_time = after - before, extension_time = extension_time }
    end
    if has_converged(err, result.max_errs[1], o) or k >= o.max_extensions
      or not extend(surrogate, mu) then break end
    result.extensions = k + 1
    extension_time = clock.now() - after
  end
  result.time = clock.now() - start
  return result
end

-- A reduced basis model as the surrogate of weak_greedy.
local RBSurrogate = class("neap.RBSurrogate")

-- The training set is scattered when it is first seen; each share has a cache beside it.
local function scatter(self, mus, pool)
  if self._mus == mus and self._pool == pool then return end
  self:close()
  self._mus, self._pool = mus, pool
  self._share, self._cache = pool:scatter_list(mus), pool:keep(evaluation.new_cache)
  if not self._use_estimator then
    self._fom_there = pool:push(self.fom)
    self._norm_there = pool:push { self._error_norm }
  end
end

function RBSurrogate:close()
  for _, name in ipairs { "_share", "_cache", "_fom_there", "_norm_there" } do
    if self[name] then
      self[name]:remove()
      self[name] = nil
    end
  end
  self._mus, self._pool = nil, nil
end
RBSurrogate.__close = RBSurrogate.close

function RBSurrogate:evaluate(mus, pool)
  scatter(self, mus, pool)
  local shares
  if self._use_estimator then
    shares = pool:apply(evaluation.estimate, self.rom, self._share, self._cache)
  else
    shares = pool:apply(evaluation.true_errors, self.rom, self.reductor.bases.RB,
      self._fom_there, self._norm_there, self._share, self._cache)
  end
  local errors = shares[1]
  for worker = 2, #shares do
    table.move(shares[worker], 1, #shares[worker], #errors + 1, errors)
  end
  return errors
end

function RBSurrogate:extend(mu)
  local U = self.fom:solve(mu)
  self.reductor:extend_basis(U, self._extension_params)
  self.rom = self.reductor:reduce()
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
---@param training_set table[]
---@param options? table
---@return GreedyResult  with the reduced model `rom`
function M.rb_greedy(fom, reductor, training_set, options)
  local o = options_.parse(options, RB_SPEC, 2)
  local rom = reductor:reduce()
  if o.use_error_estimator and rom.error_estimator == nil then
    error("reductor: its model has no error estimator; use_error_estimator = false?", 2)
  end
  local surrogate <close> = setmetatable({
    fom = fom, reductor = reductor, rom = rom, _use_estimator = o.use_error_estimator,
    _error_norm = o.error_norm, _extension_params = o.extension_params,
  }, RBSurrogate)
  local passed_on = {}
  for name in pairs(SPEC) do passed_on[name] = o[name] end
  local result = M.weak_greedy(surrogate, training_set, passed_on)
  result.rom = surrogate.rom
  return result
end

return M
