--- The options that a view of a pool gives to its calls.
local options = require "neap.options"

local M = {}

local SPEC = {
  timeout = options.any, item_timeout = options.any, stopped_grace = options.any,
  retries = options.any, on_error = options.any, chunk = options.any, progress = options.any,
  on_progress = options.any, cost = options.any, schedule = options.any,
}

local function is_positive(x) return type(x) == "number" and x > 0 end

local function is_one_of(...)
  local allowed = {}
  for _, x in ipairs { ... } do allowed[x] = true end
  return function(x) return allowed[x] ~= nil end
end

-- Option -> whether a value is one for it, and how to say what is.
local CHECKS = {
  timeout = { is_positive, "positive number of seconds" },
  item_timeout = { is_positive, "positive number of seconds" },
  stopped_grace = { is_positive, "positive number of seconds" },
  retries = {
    function(x) return math.type(x) == "integer" and x >= 0 or x == math.huge end,
    "an integer of at least 0, or math.huge",
  },
  on_error = {
    function(x) return x == "stop" or x == "collect" or options.is_callable(x) end,
    '"stop", "collect" or a function',
  },
  chunk = {
    function(x) return math.type(x) == "integer" and x > 0 end, "positive integer",
  },
  progress = { function(x) return type(x) == "boolean" or type(x) == "string" end,
    "boolean or title" },
  on_progress = { options.is_callable, "function" },
  cost = { options.is_callable, "function" },
  schedule = { is_one_of("dynamic", "static"), '"dynamic" or "static"' },
}

---@class ViewOptions
---@field timeout number?       seconds that a call may take
---@field item_timeout number?  seconds that an item of a map may take (items go out one by one), or
---  a worker for what apply, keep or submit has asked of it
---@field stopped_grace number? seconds that a worker may stay stopped during a call; default 10
---@field retries number?       times that what has killed its worker is tried again; default 1
---@field on_error string|function|nil "stop" (default), "collect", or a function: error -> result;
---  it stands in the place of an item of map and reduce, of a worker of apply, of the value of
---  apply_only and submit. What has no such place raises: push, scatter_*, keep, get
---@field chunk integer?        items of a map that travel together
---@field progress boolean|string|nil show how far calls are, under this title
---@field on_progress function? is told how far a call is, see neap.pool.progress
---@field cost function?        of an item of a map: the most costly ones go first
---@field schedule string?      "dynamic" (default), "static": one share for each worker

--- The options of a view of a view.
---@param base ViewOptions
---@param given ViewOptions  what is to be different
---@param level integer      of the function to blame
---@return ViewOptions
---@nodiscard
function M.merge(base, given, level)
  local parsed, merged = options.parse(given, SPEC, level + 1), {}
  options.check(parsed, CHECKS, level + 1)
  for name, value in pairs(base) do merged[name] = value end
  for name, value in pairs(parsed) do merged[name] = value end
  return merged
end

--- The numbers of the items of a map, the most costly first, equal ones in their order.
---@param cost function
---@param total integer
---@param item fun(i: integer): any ...  the arguments of item i
---@return integer[]
---@nodiscard
function M.order(cost, total, item)
  local costs, order = {}, {}
  for i = 1, total do
    local c = cost(item(i))
    if type(c) ~= "number" or c ~= c then
      error(("option 'cost': a number expected for item %d, got %s"):format(i, tostring(c)), 0)
    end
    costs[i], order[i] = c, i
  end
  table.sort(order, function(a, b)
    if costs[a] ~= costs[b] then return costs[a] > costs[b] end
    return a < b
  end)
  return order
end

return M
