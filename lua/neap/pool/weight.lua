--- What a call would send: how much of it, where that comes from, and what cannot be sent.
local core = require "host.pool"
local options = require "neap.options"

local M = {}

---@class Weight
---@field path string    as in "upvalue data of f", "argument 2", "global 'mesh'"
---@field type string    integer or float, VectorArray and the like, else as type() has it
---@field bytes integer  that travel in the message
---@field blocks integer bytes of arrays, which travel beside it or not at all

---@class Explanation
---@field bytes integer
---@field blocks integer
---@field values Weight[]   the heaviest first
---@field refused string[]  why values cannot be sent
local Explanation = { __name = "neap.Explanation" }
Explanation.__index = Explanation

local function size(n)
  if n < 1000 then return ("%d B"):format(n) end
  for _, unit in ipairs { "kB", "MB", "GB" } do
    n = n / 1000
    if n < 1000 or unit == "GB" then return ("%.3g %s"):format(n, unit) end
  end
end

function Explanation:__tostring()
  local lines = { ("%s, and %s in blocks"):format(size(self.bytes), size(self.blocks)) }
  for _, value in ipairs(self.values) do
    lines[#lines + 1] = ("  %-40s %-12s %8s%s"):format(value.path, value.type, size(value.bytes),
      value.blocks > 0 and (" and %s in blocks"):format(size(value.blocks)) or "")
  end
  for _, message in ipairs(self.refused) do lines[#lines + 1] = "  " .. message end
  return table.concat(lines, "\n")
end

local function add(list, pool, path, value)
  local bytes, blocks = pool:weigh(value, path)
  if not bytes then
    list.refused[#list.refused + 1] = blocks
    return
  end
  local kind = math.type(value) or options.kind(value):gsub("^neap%.", "")
  list.values[#list.values + 1] = { path = path, type = kind, bytes = bytes, blocks = blocks }
  list.bytes, list.blocks = list.bytes + bytes, list.blocks + blocks
end

local add_value

-- Adds what a function written in Lua brings along: its upvalues, those of the functions among
-- them, and the globals that its code names.
local function add_function(list, pool, path, f, seen)
  if seen[f] then return end
  seen[f] = true
  local bytes, reason, definitions = pool:weigh(f, path)
  if bytes and definitions == 0 then return end -- it is known by name
  if debug.getinfo(f, "S").what == "C" then
    list.refused[#list.refused + 1] = reason
    return
  end
  for i = 1, math.huge do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    local id = debug.upvalueid(f, i)
    if name ~= "_ENV" and not seen[id] then
      seen[id] = true
      add_value(list, pool, ("upvalue %s of %s"):format(name, path), value, seen)
    end
  end
  for _, name in ipairs(core.named_globals(string.dump(f))) do
    local value = rawget(_G, name)
    if value ~= nil and not seen[name] then
      seen[name] = true
      add_value(list, pool, ("global '%s'"):format(name), value, seen)
    end
  end
end

function add_value(list, pool, path, value, seen)
  if type(value) == "function" then add_function(list, pool, path, value, seen)
  else add(list, pool, path, value) end
end

--- Lists what pool:apply(f, ...) would send.
---@param pool userdata  the core's
---@param f function
---@return Explanation
---@nodiscard
function M.explain(pool, f, ...)
  local list = setmetatable({ bytes = 0, blocks = 0, values = {}, refused = {} }, Explanation)
  local arguments, seen = table.pack(...), {}
  add_value(list, pool, "f", f, seen)
  for i = 1, arguments.n do
    add_value(list, pool, ("argument %d"):format(i), arguments[i], seen)
  end
  table.sort(list.values, function(a, b)
    if a.bytes ~= b.bytes then return a.bytes > b.bytes end
    if a.blocks ~= b.blocks then return a.blocks > b.blocks end
    return a.path < b.path
  end)
  return list
end

local warned = {} -- places of calls that have been told
local WORTH = 0.05 -- of all: what is less is not named

-- Where the pool's user made the call.
local function place()
  for level = 3, 50 do
    local info = debug.getinfo(level, "Sl")
    if not info then return "?" end
    if info.what ~= "C" and not info.source:find("/neap/pool/[%w_]+%.lua$") then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
  end
end

--- Says, once for each place, that the call just made carried much.
---@param bytes integer  that it carried
function M.warn(pool, bytes, f, ...)
  local at = place()
  if warned[at] then return end
  warned[at] = true
  local names = {}
  for _, value in ipairs(M.explain(pool, f, ...).values) do
    if #names < 3 and value.bytes > WORTH * bytes then
      names[#names + 1] = ("%s (%s)"):format(value.path, size(value.bytes))
    end
  end
  io.stderr:write(("neap: warning: %s: this call carries %s beside blocks to a worker: %s. What is "
    .. "used again travels once with pool:push\n"):format(at, size(bytes),
    table.concat(names, ", ")))
end

return M
