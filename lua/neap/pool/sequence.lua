--- What map runs over: lists, VectorArrays, ranges; and keyword arguments.
local options = require "neap.options"

local M = {}

-- As in host/worker/protocol.h.
local LIST, ARRAY, RANGE = 1, 2, 3

---@class Range
---@field first number
---@field last number
---@field step number
local Range = { __name = "neap.range" }

-- Items by their number, as of a list: ipairs and table.unpack see them.
function Range:__index(i)
  if math.type(i) ~= "integer" or i < 1 or i > self.n then return nil end
  return self.first + (i - 1) * self.step
end

function Range:__newindex(i)
  error(("neap.range cannot be changed: field '%s'"):format(tostring(i)), 2)
end

function Range:__len() return self.n end

function Range:__tostring()
  return ("range(%s, %s, %s)"):format(self.first, self.last, self.step)
end

local function check_number(name, x)
  if type(x) ~= "number" or x ~= x or x == math.huge or x == -math.huge then
    error(("%s: finite number expected, got %s"):format(name, options.show(x)), 3)
  end
end

-- A step that hits last but for rounding does hit it: 0, 0.1, ... 1 are eleven.
local ROUNDING = 1e-15

-- a // b of unsigned integers, which the width of every range is.
local function divide(a, b)
  if b < 0 then return math.ult(a, b) and 0 or 1 end
  local q = (a >> 1) // b << 1
  return math.ult(a - q * b, b) and q or q + 1
end

-- nil: more than an integer can count.
local function count(first, last, step)
  if first ~= last and (first < last) ~= (step > 0) then return 0 end
  if math.type(first) == "integer" and math.type(last) == "integer"
    and math.type(step) == "integer" then
    local n = step > 0 and divide(last - first, step) or divide(first - last, -step)
    return n >= 0 and n < math.maxinteger and n + 1 or nil
  end
  local n = math.tointeger(math.floor((last - first) / step * (1 + ROUNDING)))
  return n and n + 1
end

--- first, first + step, ... up to last: a sequence for map that travels as three numbers.
---@param first number
---@param last number   included when it is hit
---@param step number?  not 0, default 1
---@return Range
---@nodiscard
function M.range(first, last, step)
  step = step or 1
  check_number("first", first)
  check_number("last", last)
  check_number("step", step)
  if step == 0 then error("step: a number other than 0 expected", 2) end
  local n = count(first, last, step)
  if not n then error("range: fewer items expected", 2) end
  return setmetatable({ first = first, last = last, step = step, n = n }, Range)
end

---@class Kw
local Kw = { __name = "neap.kw" }

--- Marks a table as keyword arguments: map hands it to every call as its last argument.
---@param values table<string, any>
---@return Kw
---@nodiscard
function M.kw(values)
  if type(values) ~= "table" then
    error(("values: table expected, got %s"):format(options.kind(values)), 2)
  end
  local copy = {}
  for name, value in pairs(values) do copy[name] = value end
  return setmetatable(copy, Kw)
end

--- The plain table of keyword arguments, or nil if x is none.
function M.unwrap_kw(x)
  if getmetatable(x) ~= Kw then return nil end
  local copy = {}
  for name, value in pairs(x) do copy[name] = value end
  return copy
end

-- A table that has fields but no item 1 is no list.
local function check_empty(x, i, level)
  local keys = {}
  for key in pairs(x) do keys[#keys + 1] = options.show(key) end
  if #keys == 0 then return end
  table.sort(keys)
  error(("sequence %d: list expected, got a table with the fields %s (arguments that every "
    .. "call gets by name go last, in a neap.kw)"):format(i, table.concat(keys, ", ", 1,
    math.min(#keys, 10))), level + 1)
end

local function length(x, i, level)
  if getmetatable(x) == Range then return x.n end
  if getmetatable(x) == Kw then
    error(("sequence %d: a neap.kw goes last, after all sequences"):format(i), level + 1)
  end
  if type(x) == "table" then
    if math.type(x.n) == "integer" and x.n >= 0 then return x.n end
    if #x == 0 then check_empty(x, i, level + 1) end
    return #x
  end
  if options.kind(x) == "neap.VectorArray" then return #x end
  error(("sequence %d: list, VectorArray or neap.range expected, got %s"):format(i,
    options.kind(x)), level + 1)
end

--- Checks the sequences of a map.
---@param sequences table  with n
---@param level integer    of the function to blame
---@return integer total
---@nodiscard
function M.check(sequences, level)
  if sequences.n == 0 then
    error("sequence 1: list, VectorArray or neap.range expected", level + 1)
  end
  local total
  for i = 1, sequences.n do
    local n = length(sequences[i], i, level + 1)
    if total and n ~= total then
      error(("sequence %d: length %d expected as of sequence 1, got %d"):format(i, total, n),
        level + 1)
    end
    total = n
  end
  return total
end

--- Raises when an item of a list cannot be sent: chunks are encoded as they go, and nothing is to
--- go before that is known.
---@param sequences table  with n; checked
---@param total integer
---@param core userdata    the pool's
---@param held userdata    of its holds: is to keep the remote objects that items refer to
---@return table packed    sequence -> its numbers as they are sent, where it has nothing else
---@nodiscard
function M.check_items(sequences, total, core, held)
  local packed = {}
  for i = 1, sequences.n do
    local x = sequences[i]
    if type(x) == "table" and getmetatable(x) ~= Range then
      packed[i] = core:check_items(x, total, ("sequence %d"):format(i), held)
    end
  end
  return packed
end

--- Lists the sequences as the core wants them.
---@param sequences table  with n; checked
---@param packed table     as check_items gives it
---@return table triples   kind, object, step (of a list: it packed, or false) for each
---@nodiscard
function M.describe(sequences, packed)
  local triples = {}
  for i = 1, sequences.n do
    local x = sequences[i]
    local kind, object, step = LIST, x, packed[i] or false
    if getmetatable(x) == Range then
      kind, object, step = RANGE, x.first, x.step
    elseif type(x) == "userdata" then
      kind = ARRAY
    end
    local k = 3 * i
    triples[k - 2], triples[k - 1], triples[k] = kind, object, step
  end
  return triples
end

--- Item i of a sequence.
function M.item(x, i)
  if getmetatable(x) == Range then return x.first + (i - 1) * x.step end
  return x[i]
end

--- Item i of each sequence.
---@param sequences table  with n
---@return any ...
function M.items(sequences, i)
  if sequences.n == 1 then return M.item(sequences[1], i) end
  local items = {}
  for k = 1, sequences.n do items[k] = M.item(sequences[k], i) end
  return table.unpack(items, 1, sequences.n)
end

--- Lists of the same items in another order.
---@param sequences table   with n
---@param order integer[]   position -> item
---@return table  with n
---@nodiscard
function M.permute(sequences, order)
  local lists = { n = sequences.n }
  for k = 1, sequences.n do
    local list = { n = #order }
    for position, i in ipairs(order) do list[position] = M.item(sequences[k], i) end
    lists[k] = list
  end
  return lists
end

return M
