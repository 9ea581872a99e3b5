--- Norms as options name them.
local values = require "neap.operators.values"

local M = {}

--- A function that returns the list of norms of a VectorArray.
---@param norm nil|"sup"|Operator|SparseMatrix|Matrix|fun(U: VectorArray): number[]
---@param level? integer  of the function to blame, as in error()
---@return fun(U: VectorArray): number[]
---@nodiscard
function M.reader(norm, level)
  if norm == nil then return function(U) return U:norm() end end
  if norm == "sup" then return function(U) return U:sup_norm() end end
  if type(norm) == "function" then return norm end
  local kind = values.kind(norm)
  if values.is_operator(norm) or kind == "neap.SparseMatrix" or kind == "neap.Matrix" then
    return function(U) return U:norm(norm) end
  end
  error(("error_norm: nil, \"sup\", a product or a function expected, got %s"):format(kind),
    (level or 1) + 1)
end

return M
