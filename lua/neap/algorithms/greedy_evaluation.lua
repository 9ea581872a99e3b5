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

-- The first largest error: how large, where, and of how many. NaN comes before all.
local function first_largest(errors)
  local err, index = -math.huge, 0
  for i = 1, #errors do
    local e = errors[i]
    if not (e <= err) then
      err, index = e, i
      if e ~= e then break end
    end
  end
  return err, index, #errors
end

--- The largest error estimate of a reduced model.
---@param rom table
---@param mus table[]
---@param cache table  changed
---@return number err     -inf when there are no mus
---@return integer index  of mus, the first with this error
---@return integer count  #mus
function M.max_estimate(rom, mus, cache)
  if rom.error_estimator.estimate_batch then
    return first_largest(rom.error_estimator:estimate_batch(mus, rom, cache))
  end
  local errors = {}
  for i, mu in ipairs(mus) do errors[i] = largest(rom:estimate_error(mu)) end
  return first_largest(errors)
end

--- The largest error of a reduced model in a norm, against full solutions.
---@param rom table
---@param RB VectorArray  the reduced basis
---@param fom table
---@param norm table      { error_norm }
---@param mus table[]
---@param cache table     changed: keeps full solutions, while they are few
---@return number err, integer index, integer count  as of max_estimate
function M.max_true_error(rom, RB, fom, norm, mus, cache)
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
    U:axpy(-1.0, RB:lincomb(values.matrix(rom:solve(mu))))
    errors[i] = largest(error_norm(U))
  end
  return first_largest(errors)
end

return M
