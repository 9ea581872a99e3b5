--- Refusals that stand in the caller's line.
local assert = require "luassert"

local M = {}

--- Asserts that f, a function of one line of statements below its first, raises in that line.
---@param expected string  the message behind the position
---@param f function       its statement stands on the line after `function()`
function M.in_line(expected, f)
  local info = debug.getinfo(f, "S")
  local ok, message = pcall(f)
  assert.is_false(ok, "nothing was raised; expected: " .. expected)
  assert.equal(("%s:%d: %s"):format(info.short_src, info.linedefined + 1, expected),
    tostring(message))
end

return M
