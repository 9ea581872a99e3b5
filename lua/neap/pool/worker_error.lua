--- The error that a call on workers raises.
---@class WorkerError
---@field message string   what went wrong, first error first
---@field value any        what the worker's function raised
---@field kind "error"|"died"|"timeout"|"interrupted"
---@field worker integer?  its number, from 1
---@field host string?     where that runs
---@field item integer?    of a map: its number, from 1
---@field arguments any[]? of a map: what the item is, from each sequence
---@field signal integer?  that ended the worker
---@field exit_code integer? of a worker that ended by itself
---@field pid integer?     of the worker that died
---@field peak_memory integer?   bytes that it had in memory at most
---@field out_of_memory boolean? the system has killed it, likely for want of memory
---@field last_line string?      of Lua, file:line, when a signal ended native code
---@field stderr string?   the last lines that it wrote to standard error
---@field traceback string? of the worker
---@field caller string?   traceback of the call; nil where no code made it, as at the prompt
---@field others integer   workers or items that failed in the same way
---@field results table?   what had finished: a list for each value, with gaps
---@field failed integer[]? of a map: the numbers of the items that failed, ascending
---@field pending integer[]? of a map: the numbers of those that neither failed nor have brought a
---  result that is not nil, ascending
local WorkerError = { __name = "WorkerError" }

-- Of a long map that has failed early these are many, and mostly nobody asks.
local function pending(e)
  local total = rawget(e, "_total")
  if not total then return nil end
  local list, results, is_failed = {}, e.results and e.results[1] or {}, {}
  for _, i in ipairs(e.failed) do is_failed[i] = true end
  for i = 1, total do
    if results[i] == nil and not is_failed[i] then list[#list + 1] = i end
  end
  return list
end

function WorkerError.__index(e, name)
  if name ~= "pending" then return WorkerError[name] end
  local list = pending(e)
  rawset(e, "pending", list)
  return list
end

local SUMMARY = 120 -- characters

-- A value in few words: what it holds, as deep as there is room.
local function summary(x, depth)
  if type(x) == "string" then return ("%q"):format(x) end
  if type(x) ~= "table" or depth == 0 or getmetatable(x) then return tostring(x) end
  local words, n = {}, #x
  for i = 1, math.min(n, 10) do words[i] = summary(x[i], depth - 1) end
  local names = {}
  for name in pairs(x) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    words[#words + 1] = name .. " = " .. summary(x[name], depth - 1)
  end
  if n > 10 then words[#words + 1] = "..." end
  return "{" .. table.concat(words, ", ") .. "}"
end

local function summaries(list)
  local words = {}
  for i = 1, #list do words[i] = summary(list[i], 3) end
  local text = table.concat(words, ", ")
  return #text <= SUMMARY and text or text:sub(1, SUMMARY - 3) .. "..."
end

local function place(e)
  if not e.worker then return nil end
  local at = ("on worker %d"):format(e.worker)
  if e.host and e.pid then at = at .. " of " .. e.host end
  if e.item then at = at .. (", item %d"):format(e.item) end
  if e.arguments then at = at .. " = " .. summaries(e.arguments) end
  return at
end

-- What is known of a worker that died.
local function last_moments(e, lines)
  if not e.pid then return end
  local process = ("process %d"):format(e.pid)
  if e.peak_memory then
    process = process .. (", at most %.0f MiB of memory"):format(e.peak_memory / 2 ^ 20)
  end
  lines[#lines + 1] = process
  if e.last_line then lines[#lines + 1] = "last in Lua at " .. e.last_line end
  if e.stderr then
    lines[#lines + 1] = "its last lines on standard error:"
    lines[#lines + 1] = ("\t" .. e.stderr):gsub("\n$", ""):gsub("\n", "\n\t")
  end
end

--- The message, where it happened, the worker's traceback and the caller's.
function WorkerError:__tostring()
  local lines = { tostring(self.message) }
  local at = place(self)
  if at then
    if self.others > 0 then at = ("%s (and %d more like it)"):format(at, self.others) end
    lines[#lines + 1] = at
  end
  last_moments(self, lines)
  if self.traceback then lines[#lines + 1] = self.traceback end
  if self.caller then
    lines[#lines + 1] = "called from"
    lines[#lines + 1] = (self.caller:gsub("^stack traceback:\n", ""))
  end
  return table.concat(lines, "\n")
end

--- So that messages can be made of it.
function WorkerError.__concat(a, b) return tostring(a) .. tostring(b) end

local STANDARD = {}
for name in ("assert collectgarbage coroutine debug dofile error getmetatable io ipairs load "
  .. "loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select "
  .. "setmetatable string table tonumber tostring type utf8 warn xpcall"):gmatch "%w+" do
  STANDARD[name] = true
end

-- A standard global that was given another value, in _G or in an environment such as that of a
-- spec, is Lua's own on workers.
local function hint(message)
  local name = message:match("attempt to %w+ an? %w+ value %(global '(%w+)'%)")
  if not (name and STANDARD[name]) then return message end
  return ("%s (on a worker '%s' is Lua's own: bring another one along as an upvalue, as in local "
    .. "%s = %s)"):format(message, name, name, name)
end

-- Says in words what was raised: also nil, and tables that cannot say it themselves.
local function word(e)
  local value, meta = e.value, getmetatable(e.value)
  local has_words = type(meta) == "table" and (meta.__tostring or meta.__name)
  if type(value) == "table" and not has_words then
    e.message = summaries({ value })
  elseif type(e.message) ~= "string" then
    e.message = tostring(e.message)
  elseif e.kind == "error" then
    e.message = hint(e.message)
  end
end

-- The error with the lowest item, then the lowest worker, whichever came first in time.
local function before(a, b)
  local i, j = a.item or math.huge, b.item or math.huge
  if i ~= j then return i < j end
  return (a.worker or math.huge) < (b.worker or math.huge)
end

local OWN = debug.getinfo(1, "S").source:match "^(.*/)[^/]*$" -- the folder of the pool's files

-- Where the call was made: a traceback without the frames of the pool itself; nil where nothing is
-- left, as at the prompt.
local function caller()
  local first, level = 2, 2
  local info = debug.getinfo(level, "S")
  while info and (info.what == "C" or info.source:sub(1, #OWN) == OWN) do
    level = level + 1
    if info.what ~= "C" then first = level end
    info = debug.getinfo(level, "S")
  end
  local text = debug.traceback(nil, first) -- no tail call: levels count from here
  return text ~= "stack traceback:\n\t[C]: in ?" and text or nil
end

local M = { WorkerError = WorkerError }

-- The items that have failed, once each; those that were stopped with their call have not.
local function failed_items(errors)
  local items = {}
  for _, e in ipairs(errors) do -- in the order of the items
    if e.item and not e.stopped and e.item ~= items[#items] then items[#items + 1] = e.item end
  end
  return items
end

-- What two errors have in common that have failed in the same way: each death names its worker.
local function way(e)
  if not (e.kind == "died" and e.worker) then return e.message end
  return (e.message:gsub("^worker " .. e.worker .. " ", "worker "))
end

--- Makes one WorkerError of the errors of a call.
---@param errors table[]  as the core gives them; at least one
---@param results table?  what had finished
---@param total integer?   of a map: how many items it has
---@return WorkerError
---@nodiscard
function M.new(errors, results, total)
  for _, e in ipairs(errors) do word(e) end
  table.sort(errors, before)
  local first = errors[1]
  first.others = 0
  for i = 2, #errors do
    if errors[i].kind == first.kind and way(errors[i]) == way(first) then
      first.others = first.others + 1
    end
  end
  first.item = first.item or nil
  first.results = results
  if total then first.failed, first._total = failed_items(errors), total end
  first.stopped = nil
  first.caller = caller()
  return setmetatable(first, WorkerError)
end

--- What is raised where Ctrl-C has been pressed and there is no more to say.
---@return WorkerError
---@nodiscard
function M.interrupted() return M.new { { kind = "interrupted", message = "interrupted" } } end

--- One error that stands in the place of a result.
---@param e table
---@return WorkerError
function M.wrap(e)
  word(e)
  e.others = 0
  return setmetatable(e, WorkerError)
end

return M
