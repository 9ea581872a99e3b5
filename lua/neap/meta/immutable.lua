---@meta host.immutable

---@class host.immutable
local M = {}

--- Makes a table, and what it reaches through fields and keys, read-only for good, in place;
--- arrays in it are frozen. What is reached through metatables, functions, classes and modules
--- stays as it is. Reading, `#`, pairs, ipairs, table.unpack and metamethods work as before;
--- `next` and the raw functions see an empty table.
---@generic T : table|VectorArray|Matrix|SparseMatrix
---@param object T
---@return T object  the same
function M.immutable(object) end

--- Is it a table or an array that nobody can change any more?
---@param object any
---@return boolean
---@nodiscard
function M.is_immutable(object) end

return M
