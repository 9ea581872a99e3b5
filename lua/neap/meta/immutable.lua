---@meta host.immutable

---@class host.immutable
local M = {}

--- Makes a table, and what it reaches through fields and keys, read-only for good, in place;
--- arrays in it are frozen. What is reached through metatables, functions, classes and modules
--- stays as it is. Reading, `#`, pairs, ipairs, table.unpack and metamethods work as before;
--- `next` and the raw functions see an empty table.
---
--- On the workers of a pool it is one object wherever it stands: within one call, and from when it
--- was pushed. What has been pushed only as a part of something else is known there as that part
--- alone: passed beside it, it is a copy. To have both as one, push the part first.
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
