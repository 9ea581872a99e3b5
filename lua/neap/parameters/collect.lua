--- Which parameters something depends on, as far as it can be told.

local function take(x, found, seen)
  if type(x) ~= "table" or seen[x] then return end
  seen[x] = true
  if type(x.parameters) == "table" then
    for name, size in pairs(x.parameters) do found[name] = found[name] or size end
  elseif type(x.name) == "string" and x.size and x.d_mu then -- a ProjectionFunctional
    found[x.name] = found[x.name] or x.size
  end
  take(x.operator, found, seen)
  for _, key in ipairs { "operators", "coefficients", "thetas" } do
    for _, part in ipairs(type(x[key]) == "table" and x[key] or {}) do take(part, found, seen) end
  end
end

--- The parameters of operators, coefficients and lists of such. Functions do not tell theirs; an
--- own operator does in its field `parameters`.
---@return table<string, integer>  name -> number of components
---@nodiscard
return function(...)
  local found, seen = {}, {}
  for i = 1, select("#", ...) do take((select(i, ...)), found, seen) end
  return found
end
