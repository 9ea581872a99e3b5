--- A reduced basis model as the surrogate of a weak greedy.
local blame = require "neap.blame"
local class = require "neap.class"
local evaluation = require "neap.algorithms.greedy_evaluation"

---@class RBSurrogate
---@field rom table  the reduced model so far
local RBSurrogate = class("neap.RBSurrogate")

function RBSurrogate._fields(fom, reductor, rom, o)
  return {
    fom = fom, reductor = reductor, rom = rom, _use_estimator = o.use_error_estimator,
    _error_norm = o.error_norm, _extension_params = o.extension_params,
  }
end

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

--- Removes what is on the workers.
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

-- Shares are consecutive, so the first largest of the first largest is the first largest.
local function combine(errs, indices, counts)
  local err, index, before = nil, nil, 0
  for worker = 1, #counts do
    if counts[worker] > 0 then
      local e, i = errs[worker], before + indices[worker]
      if e ~= e then blame(("the error of parameter %d is NaN"):format(i)) end
      if err == nil or e > err then err, index = e, i end
    end
    before = before + counts[worker]
  end
  return err, index
end

--- The largest error, and where it is.
---@param mus table[]  not empty
---@param pool table
---@return number err
---@return integer index  of mus, the first with this error
function RBSurrogate:max_error(mus, pool)
  scatter(self, mus, pool)
  if self._use_estimator then
    return combine(pool:apply(evaluation.max_estimate, self.rom, self._share, self._cache))
  end
  return combine(pool:apply(evaluation.max_true_error, self.rom, self.reductor.bases.RB,
    self._fom_there, self._norm_there, self._share, self._cache))
end

--- Extends the basis by the full solution for mu.
function RBSurrogate:extend(mu)
  self.reductor:extend_basis(self.fom:solve(mu), self._extension_params)
  self.rom = self.reductor:reduce()
end

return RBSurrogate
