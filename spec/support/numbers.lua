--- Comparisons of numbers, lists and arrays, for specs.
local assert = require "luassert"
local say = require "say"

local M = {}

local function modulus(x) return type(x) == "number" and math.abs(x) or x:abs() end

--- The largest |a - b| / (rtol |a| + atol) over two lists, and where.
function M.worst(expected, actual, rtol, atol)
  local worst, at = 0, 0
  for i = 1, math.max(#expected, #actual) do
    local a, b = expected[i], actual[i]
    local ratio = math.huge
    if a and b then ratio = modulus(a - b) / (rtol * modulus(a) + (atol or 0)) end
    if a == b then ratio = 0 end
    if not (ratio <= worst) then worst, at = ratio, i end
  end
  return worst, at
end

local function close_lists(_, arguments)
  local expected, actual, rtol, atol = table.unpack(arguments, 1, 4)
  local worst, at = M.worst(expected, actual, rtol, atol)
  arguments[1], arguments[2], arguments[3], arguments[4] = at, expected[at] or "nothing",
    actual[at] or "nothing", worst
  arguments.n = 4
  return worst <= 1
end

say:set("assertion.close_lists.positive",
  "lists differ at entry %s: expected %s, got %s; %s times what is allowed")
assert:register("assertion", "close_lists", close_lists, "assertion.close_lists.positive")

--- The entries of a Matrix by columns, as one list.
function M.entries(A)
  local list = {}
  for j = 1, A.cols do
    for i = 1, A.rows do list[#list + 1] = A:get(i, j) end
  end
  return list
end

return M
