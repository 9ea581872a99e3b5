--- What scatter_array(U, {copy = false}) does to U.
local neap = require "neap"

--- Moves the vectors of U to an array of their own. A view, an array with views and a frozen one
--- cannot be emptied; they are refused.
---@param U VectorArray   empty afterwards
---@param level integer  of the function to blame
---@return VectorArray
---@nodiscard
return function(U, level)
  local V = neap.VectorArray.empty(U.dim)
  local ok, why = pcall(V.append, V, U, { remove_from_other = true })
  if ok then return V end
  V:close()
  why = tostring(why):match "%((.*)%)$"
  if why == nil then error("not enough memory", 0) end
  error(("U: copy = false cannot empty it: %s"):format(why), level + 1)
end
