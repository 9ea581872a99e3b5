--- Other processes: whether they are there, and until when.
local clock = require "host.clock"

local M = {}

--- What /proc says of a process.
---@param pid integer
---@return string? state  R running, S asleep, T stopped, Z ended and not yet reaped; nil: gone
function M.state(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text:match "^%d+ %(.*%) (%a)"
end

--- Is it there, other than as a number that its parent has yet to take notice of?
---@param pid integer
---@return boolean
function M.is_alive(pid)
  local state = M.state(pid)
  return state ~= nil and state ~= "Z" and state ~= "X"
end

--- Waits until f() is true.
---@param seconds number  at most
---@param f fun(): boolean?
---@return boolean  f()
function M.wait_until(seconds, f)
  local stop = clock.now() + seconds
  while not f() do
    if clock.now() > stop then return false end
    os.execute "sleep 0.01"
  end
  return true
end

--- Waits until none of the processes is left.
---@param pids integer[]
---@param seconds number  at most
---@return integer[]  those that are still there
function M.remaining(pids, seconds)
  local left
  M.wait_until(seconds, function()
    left = {}
    for _, pid in ipairs(pids) do
      if M.is_alive(pid) then left[#left + 1] = pid end
    end
    return #left == 0
  end)
  return left
end

--- Names in a folder, as a set.
---@param path string
---@return table<string, boolean>
function M.names(path)
  local set = {}
  for name in require "lfs".dir(path) do set[name] = true end
  return set
end

return M
