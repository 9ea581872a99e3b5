--- What an asynchronous map runs over, as it is when the call is made: its chunks are encoded while
--- the driver goes on, which may change it meanwhile.
local immutable = require "host.immutable"
local options = require "neap.options"

-- Classes and modules keep their identity: the latter cross by name.
local function is_class(t) return rawget(t, "__index") ~= nil or rawget(t, "__name") ~= nil end

-- A copy of x, if it is a table without a metatable or an array. A new one that is to be filled
-- stands at the end of the list open then. copies: original -> copy.
local function begin(x, copies, open)
  local kind = type(x)
  if kind ~= "table" and kind ~= "userdata" then return x end
  local copy = copies[x]
  if copy ~= nil then return copy end
  if kind == "table" then
    if getmetatable(x) ~= nil or is_class(x) then return x end
    copy = {}
    open[#open + 1] = x
  else
    if options.kind(x) ~= "neap.VectorArray" or x.is_view then return x end
    if immutable.is_immutable(x) then return x end
    copy = x:copy() -- lazy
  end
  copies[x] = copy
  return copy
end

-- A copy of x and of what it reaches; not by recursion, since lists may be linked.
local function take(x, copies)
  local open = {}
  local first = begin(x, copies, open)
  while #open > 0 do
    local t = table.remove(open)
    local copy = copies[t]
    for key, value in next, t do copy[begin(key, copies, open)] = begin(value, copies, open) end
  end
  return first
end

--- The sequences of a map: a list and the plain tables and arrays in it are copied (arrays as
--- U:copy() does it). Objects with a metatable, views that are items of a list, and what functions
--- refer to, are read when their chunk goes out.
---@param sequences table  with n; checked
---@param packed table     sequence -> true of those that have been taken already
---@return table  with n
---@nodiscard
return function(sequences, packed)
  local taken, copies = { n = sequences.n }, {}
  for _, module in pairs(package.loaded) do copies[module] = module end
  for i = 1, sequences.n do
    local x = sequences[i]
    if packed[i] then taken[i] = x
    elseif options.kind(x) == "neap.VectorArray" then
      taken[i] = immutable.is_immutable(x) and x or x:copy()
    else taken[i] = take(x, copies) end
  end
  return taken
end
