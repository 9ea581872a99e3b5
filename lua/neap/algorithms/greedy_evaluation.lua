--- What a worker does for a greedy: the errors of its share of the training set.
local norms = require "neap.algorithms.norms"
local values = require "neap.operators.values"

local M = {}

local KEPT_LEN = 2 ^ 28 -- bytes of full solutions that a worker keeps

--- Of a worker, beside its share: what is computed once for all evaluations.
function M.new_cache() return {} end

--- The largest entry, NaN if there is one.
local function largest(list)
  local worst = list[1]
  for i = 2, #list do
    if not (list[i] <= worst) then worst = list[i] end
    if worst ~= worst then return worst end
  end
  return worst
end

--- The error estimates of a reduced model.
---@param rom table
---@param mus table[]
---@param cache table  changed
---@return number[]
function M.estimate(rom, mus, cache)
  if rom.error_estimator.estimate_batch then
    return rom.error_estimator:estimate_batch(mus, rom, cache)
  end
  local errors = {}
  for i, mu in ipairs(mus) do errors[i] = largest(rom:estimate_error(mu)) end
  return errors
end

--- The errors of a reduced model in a norm, against full solutions.
---@param rom table
---@param RB VectorArray  the reduced basis
---@param fom table
---@param norm table      { error_norm }
---@param mus table[]
---@param cache table     changed: keeps full solutions, while they are few
---@return number[]
function M.true_errors(rom, RB, fom, norm, mus, cache)
  local error_norm = norms.reader(norm[1])
  local solutions = cache.solutions
  if solutions == nil and #mus * fom.dim * 8 <= KEPT_LEN then
    solutions = {}
    for i, mu in ipairs(mus) do solutions[i] = fom:solve(mu) end
    cache.solutions = solutions
  end
  local errors = {}
  for i, mu in ipairs(mus) do
    local U = solutions and solutions[i]:copy() or fom:solve(mu)
    local u = rom:solve(mu)
    U:axpy(-1.0, RB:lincomb(values.matrix(u)))
    errors[i] = largest(error_norm(U))
  end
  return errors
end
return M
