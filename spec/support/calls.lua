--- What specs of calls on pools share.
local M = {}

--- The message of the error that f(...) raises, which must be one.
---@return string
function M.message_of(f, ...)
  local ok, e = pcall(f, ...)
  assert(not ok, "an error was expected")
  return type(e) == "table" and e.message or e
end

--- A list without its n, nils in their places.
---@param list table
---@return table
function M.plain(list)
  return { table.unpack(list, 1, list.n or #list) }
end

return M
