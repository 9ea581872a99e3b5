--- Boxes of parameter values, and samples of them.
local blame = require "neap.blame"
local class = require "neap.class"
local mu_ = require "neap.parameters.mu"

local LARGEST_GRID = 1 << 24 -- values: some gigabytes of tables

local function is_number_list(x)
  if type(x) ~= "table" then return false end
  for i = 1, #x do
    if type(x[i]) ~= "number" then return false end
  end
  return true
end

--- A box of parameter values.
---@class ParameterSpace
---@field parameters table<string, integer>  name -> number of components
---@field ranges table<string, number[]>     name -> {lo, hi}
local ParameterSpace = class("neap.ParameterSpace", nil, { immutable = true })

local function sorted_names(parameters)
  local names = {}
  for name in pairs(parameters) do names[#names + 1] = name end
  table.sort(names)
  return names
end

function ParameterSpace._fields(parameters, ranges)
  if type(parameters) ~= "table" then
    error(("parameters: table from names to sizes expected, got %s"):format(type(parameters)), 3)
  end
  if type(ranges) ~= "table" then
    error(("ranges: {lo, hi} or a table of such by name expected, got %s"):format(type(ranges)),
      3)
  end
  local sizes, by_name = {}, {}
  for name, size in pairs(parameters) do
    if type(name) ~= "string" or math.type(size) ~= "integer" or size < 0 then
      error(("parameters: '%s' = %s; name and number of components expected")
        :format(tostring(name), tostring(size)), 3)
    end
    local range = #ranges > 0 and ranges or ranges[name]
    if not is_number_list(range) or #range ~= 2 or not (range[1] <= range[2]) then
      error(("ranges: {lo, hi} with lo <= hi expected for '%s'"):format(name), 3)
    end
    sizes[name], by_name[name] = size, { range[1], range[2] }
  end
  return { parameters = sizes, ranges = by_name }
end

-- Counts by name, from one number for all or a table.
local function read_counts(self, n, level)
  local counts = {}
  for name in pairs(self.parameters) do
    local count = type(n) == "table" and n[name] or n
    if math.type(count) ~= "integer" or count < 1 then
      error(("n: positive integer expected for '%s', got %s"):format(name, tostring(count)),
        level + 1)
    end
    counts[name] = count
  end
  return counts
end

-- All combinations; values[name] lists what a component of name takes.
local function tensor_grid(self, values)
  local slots = {} -- one per component, in the order of names
  for _, name in ipairs(sorted_names(self.parameters)) do
    for i = 1, self.parameters[name] do slots[#slots + 1] = { name, i, values[name] } end
  end
  local total = 1.0
  for _, slot in ipairs(slots) do total = total * #slot[3] end
  if total > LARGEST_GRID then
    blame(("n: the grid would have %.0f parameter values, at most %d can be made; "
      .. "sample_randomly?"):format(total, LARGEST_GRID))
  end
  local mus = {}
  for k = 0, math.tointeger(total) - 1 do
    local mu, rest = {}, k
    for name, size in pairs(self.parameters) do
      local list = {}
      for i = 1, size do list[i] = 0 end
      mu[name] = list
    end
    for s = #slots, 1, -1 do -- the last component is the fastest
      local slot = slots[s]
      local list = slot[3]
      mu[slot[1]][slot[2]] = list[rest % #list + 1]
      rest = rest // #list
    end
    mus[k + 1] = mu
  end
  return mus
end

--- A uniform grid with both ends of the range (n = 1: the lower one).
---@param n integer|table<string, integer>  values per component, for all or by name
---@return table[]  parameter values, the last component fastest
---@nodiscard
function ParameterSpace:sample_uniformly(n)
  local counts, values = read_counts(self, n, 2), {}
  for name, range in pairs(self.ranges) do
    local lo, hi, count, list = range[1], range[2], counts[name], {}
    local step = count > 1 and (hi - lo) / (count - 1) or 0
    for i = 1, count do list[i] = lo + (i - 1) * step end
    if count > 1 then list[count] = hi + 0.0 end
    values[name] = list
  end
  return tensor_grid(self, values)
end

--- A grid that is uniform in the logarithm. The lower end must be positive.
---@param n integer|table<string, integer>  values per component, for all or by name
---@return table[]  parameter values, the last component fastest
---@nodiscard
function ParameterSpace:sample_logarithmic_uniformly(n)
  local counts, values = read_counts(self, n, 2), {}
  for name, range in pairs(self.ranges) do
    local lo, hi, count, list = range[1], range[2], counts[name], {}
    if not (lo > 0) then
      error(("ranges: '%s' starts at %g; a logarithmic sample needs positive bounds")
        :format(name, lo), 2)
    end
    local a, b = math.log(lo), math.log(hi)
    for i = 1, count do
      list[i] = math.exp(a + (i - 1) * (count > 1 and (b - a) / (count - 1) or 0))
    end
    list[1] = lo + 0.0
    if count > 1 then list[count] = hi + 0.0 end
    values[name] = list
  end
  return tensor_grid(self, values)
end

-- splitmix64: a sequence that depends on the seed alone, whatever else draws numbers.
local function uniform_generator(seed)
  local state = seed
  return function()
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    z = z ~ (z >> 31)
    return (z >> 11) * 0x1p-53
  end
end

--- Random values, uniform in the box.
---@param n integer  how many, at least 0
---@param seed? integer  the same seed gives the same values; without it math.random is used
---@return table[]
---@nodiscard
function ParameterSpace:sample_randomly(n, seed)
  if math.type(n) ~= "integer" or n < 0 then
    error(("n: integer from 0 expected, got %s"):format(tostring(n)), 2)
  end
  if seed ~= nil and math.type(seed) ~= "integer" then
    error(("seed: integer expected, got %s"):format(tostring(seed)), 2)
  end
  local draw = seed and uniform_generator(seed) or math.random
  local names, mus = sorted_names(self.parameters), {}
  for k = 1, n do
    local mu = {}
    for _, name in ipairs(names) do
      local lo, hi, list = self.ranges[name][1], self.ranges[name][2], {}
      for i = 1, self.parameters[name] do list[i] = lo + (hi - lo) * draw() end
      mu[name] = list
    end
    mus[k] = mu
  end
  return mus
end

--- Does mu have every parameter, with the right number of components, inside its range?
---@param mu table
---@return boolean
function ParameterSpace:contains(mu)
  mu = mu_.parse(mu)
  for name, size in pairs(self.parameters) do
    local list, range = mu and mu[name], self.ranges[name]
    if not is_number_list(list) or #list ~= size then return false end
    for i = 1, size do
      if not (list[i] >= range[1] and list[i] <= range[2]) then return false end
    end
  end
  return true
end

function ParameterSpace:__tostring()
  local ranges = {}
  for _, name in ipairs(sorted_names(self.parameters)) do
    local size, range = self.parameters[name], self.ranges[name]
    ranges[#ranges + 1] = ("%s%s in [%g, %g]"):format(name, size == 1 and "" or "[" .. size .. "]",
      range[1], range[2])
  end
  return ("ParameterSpace(%s)"):format(table.concat(ranges, ", "))
end

return ParameterSpace
