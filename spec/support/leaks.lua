--- What a spec must not leave behind: child processes, open descriptors, mapped memory.
---
---     local leaks = require "spec.support.leaks"
---     describe("pool", function()
---       leaks.watch(before_each, after_each)
---       ...
local lfs = require "lfs"

local M = {}

---@class Snapshot
---@field children table<integer, string>     process id -> command
---@field descriptors table<integer, string>  number -> what it refers to
---@field segments integer                    mappings of memory that processes share

---@param path string
---@return string?  the whole file, nil when it is gone
local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

--- The numbers among the names in a folder of /proc.
local function numbers(folder)
  local list = {}
  for name in lfs.dir(folder) do
    local n = math.tointeger(name)
    if n then list[#list + 1] = n end
  end
  return list
end

--- The processes that this one has started and that are still there, zombies included.
---@return table<integer, string>  process id -> command
---@nodiscard
function M.children()
  local list = read("/proc/thread-self/children")
  local children = {}
  for pid in (list or ""):gmatch("%d+") do
    local command = (read("/proc/" .. pid .. "/comm") or "gone"):gsub("\n$", "")
    children[math.tointeger(pid)] = command
  end
  return children
end

--- The open descriptors of this process.
---@return table<integer, string>  number -> what it refers to
---@nodiscard
function M.descriptors()
  local open = {}
  for _, fd in ipairs(numbers("/proc/self/fd")) do
    local link = lfs.symlinkattributes("/proc/self/fd/" .. fd, "target")
    -- The descriptor that lists the folder is closed again by now.
    if link and not link:find("^/proc/%d+/fd$") then open[fd] = link end
  end
  return open
end

--- How many mappings of shared memory this process has.
---@return integer
---@nodiscard
function M.segments()
  local maps = read("/proc/self/maps") or ""
  local _, n = maps:gsub("/memfd:neap", "")
  return n
end

---@return Snapshot
---@nodiscard
function M.snapshot()
  collectgarbage()
  collectgarbage() -- finalizers may drop what others hold
  return { children = M.children(), descriptors = M.descriptors(), segments = M.segments() }
end

--- What is there now and was not there before, as lines for a message.
---@param before Snapshot
---@return string[]
---@nodiscard
function M.since(before)
  local now = M.snapshot()
  local list = {}
  for pid, command in pairs(now.children) do
    if not before.children[pid] then
      list[#list + 1] = ("child process %d (%s)"):format(pid, command)
    end
  end
  for fd, link in pairs(now.descriptors) do
    if before.descriptors[fd] ~= link then
      list[#list + 1] = ("descriptor %d (%s)"):format(fd, link)
    end
  end
  if now.segments > before.segments then
    list[#list + 1] = ("%d mappings of shared memory"):format(now.segments - before.segments)
  end
  table.sort(list)
  return list
end

--- The same where processes may have been replaced: how many there are, and how many descriptors.
---@param before Snapshot
---@return string[]
---@nodiscard
function M.more_since(before)
  local now, list = M.snapshot(), {}
  local function count(t)
    local n = 0
    for _ in pairs(t) do n = n + 1 end
    return n
  end
  for _, what in ipairs { "children", "descriptors" } do
    local n = count(now[what]) - count(before[what])
    if n > 0 then list[#list + 1] = ("%d %s"):format(n, what) end
  end
  if now.segments > before.segments then
    list[#list + 1] = ("%d mappings of shared memory"):format(now.segments - before.segments)
  end
  return list
end

--- Watches each spec of the block this is called in: one that leaves something fails.
---@param before_each fun(f: function)  busted's
---@param after_each fun(f: function)   busted's
function M.watch(before_each, after_each)
  local before
  before_each(function() before = M.snapshot() end)
  after_each(function()
    local left = M.since(before)
    if #left > 0 then error("left behind: " .. table.concat(left, ", "), 0) end
  end)
end

return M
