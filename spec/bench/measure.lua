--- What benchmarks share: a clock, medians over repetitions, a table and JSON lines.
local M = {}

local clock = require "host.clock".now

--- Seconds that f takes.
function M.seconds(f)
  local start = clock()
  f()
  return clock() - start
end

--- Median, minimum and maximum of a list of numbers.
function M.summary(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local n = #sorted
  local median = n % 2 == 1 and sorted[n // 2 + 1] or (sorted[n // 2] + sorted[n // 2 + 1]) / 2
  return median, sorted[1], sorted[n]
end

--- Runs f n times and returns the seconds of each run.
function M.times(n, f)
  local list = {}
  for i = 1, n do list[i] = M.seconds(f) end
  return list
end

--- Prints one row: name, value with its spread, unit, what it is held against; and as JSON.
---@param name string
---@param list number[]
---@param unit string
---@param bound string?
function M.report(name, list, unit, bound)
  local median, low, high = M.summary(list)
  print(("%-58s %10.4g [%.4g - %.4g] %-8s %s"):format(name, median, low, high, unit, bound or ""))
  print(('{"bench": "%s", "median": %.6g, "min": %.6g, "max": %.6g, "n": %d, "unit": "%s"}')
    :format(name, median, low, high, #list, unit))
end

return M
