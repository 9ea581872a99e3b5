--- Biorthonormalisation of two arrays.
local options_ = require "neap.options"
local values = require "neap.operators.values"

local SPEC = {
  product = options_.any, reiterate = true, reiteration_threshold = 0.1, check = true,
  check_tol = 1e-3, copy = true,
}

-- Subtracts from vector i of V its components along V[1], ..., V[i - 1], as the biorthogonal
-- W[1], ..., W[i - 1] see them, while its norm falls; then makes it a unit vector.
local function reduce(V, W, i, o)
  local v = V[i]
  local norm = v:norm(o.product)[1]
  if not (norm > 0 and norm < math.huge) then
    error(("vector %d has the norm %s"):format(i, norm), 0)
  end
  while i > 1 do
    v:axpy(-1.0, V:slice(1, i - 1):lincomb(W:slice(1, i - 1):inner(v, o.product)))
    local old = norm
    norm = v:norm(o.product)[1]
    if not o.reiterate or not (norm < o.reiteration_threshold * old) then break end
  end
  if not (norm > 0) then error(("vector %d depends on those before it"):format(i), 0) end
  v:scal(1 / norm)
end

local function check_biorthonormal(V, W, o, level)
  local G = W:inner(V, o.product)
  for j = 1, #V do
    for i = 1, #V do
      local deviation = math.abs(G:get(i, j) - (i == j and 1 or 0))
      if not (deviation <= o.check_tol) then
        error(("result not biorthogonal: deviation %.3g above check_tol = %.3g")
          :format(deviation, o.check_tol), level + 1)
      end
    end
  end
end

--- Makes W^T V the identity, vector by vector, so that leading vectors keep their spans. W gets
--- unit norms.
---
--- Options: `product` (default: Euclidean), `reiterate`, `reiteration_threshold` (another pass
--- while a norm falls below this part of the norm before), `check`, `check_tol`; `copy = false`
--- changes the arrays themselves.
---@param V VectorArray  [dim, n]; changed only with copy = false
---@param W VectorArray  [dim, n]; the same
---@param options? table
---@return VectorArray V
---@return VectorArray W
return function(V, W, options)
  local o = options_.parse(options, SPEC, 2)
  values.check_product(o.product, 2)
  for name, X in pairs { V = V, W = W } do
    if values.kind(X) ~= "neap.VectorArray" then
      error(("%s: VectorArray expected, got %s"):format(name, values.kind(X)), 2)
    end
  end
  if V.dim ~= W.dim or #V ~= #W then
    error(("V and W differ in shape: [%d, %d] and [%d, %d]"):format(V.dim, #V, W.dim, #W), 2)
  end
  if o.copy then V, W = V:copy(), W:copy() end
  for i = 1, #V do
    reduce(V, W, i, o)
    reduce(W, V, i, o)
    local pairing = W[i]:pairwise_inner(V[i], o.product)[1]
    if not (math.abs(pairing) > 0) then
      error(("vectors %d of V and W are orthogonal to each other"):format(i), 2)
    end
    V[i]:scal(1 / pairing)
  end
  if o.check then check_biorthonormal(V, W, o, 2) end
  return V, W
end
