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

--- What a busy machine does in time depends on what else it does: f(seconds) shows something in a
--- short time or else, as errors tell, in one five, 25 or 125 times as long.
---@param seconds number  to begin with
---@param f fun(seconds: number)
function M.in_time(seconds, f)
  for _ = 1, 3 do
    if pcall(f, seconds) then return end
    seconds = 5 * seconds
  end
  f(seconds)
end

return M
