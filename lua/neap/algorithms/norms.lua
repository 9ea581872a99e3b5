--- Norms as options name them.
local blame = require "neap.blame"
local options = require "neap.options"
local values = require "neap.operators.values"

local M = {}

--- A function that returns the list of norms of a VectorArray.
---@param norm nil|"sup"|Operator|SparseMatrix|Matrix|fun(U: VectorArray): number[]
---@param level? integer  of the function to blame, as in error()
---@param dim? integer    of the vectors
---@return fun(U: VectorArray): number[]
---@nodiscard
function M.reader(norm, level, dim)
  if norm == nil then return function(U) return U:norm() end end
  if norm == "sup" then return function(U) return U:sup_norm() end end
  if type(norm) == "function" then
    return function(U)
      local list = norm(U)
      if type(list) ~= "table" or #list == 0 then
        blame(("error_norm: list of numbers expected, got %s"):format(type(list) == "table"
          and "an empty one" or options.show(list)))
      end
      return list
    end
  end
  local kind = values.kind(norm)
  if values.is_operator(norm) or kind == "neap.SparseMatrix" or kind == "neap.Matrix" then
    local m, n = norm.range or norm.rows, norm.source or norm.cols
    if dim and (m ~= dim or n ~= dim) then
      error(("error_norm: product of %d x %d expected, got %d x %d"):format(dim, dim, m, n),
        (level or 1) + 1)
    end
    return function(U) return U:norm(norm) end
  end
  error(("error_norm: nil, \"sup\", a product or a function expected, got %s"):format(kind),
    (level or 1) + 1)
end

return M
