--- RemoteObject: a handle of something that lives on the workers of a pool.
local core = require "host.pool"
local options = require "neap.options"
local finish = require "neap.pool.finish".finish

local M = {}

-- The pool of each RemoteObject.
local owners = setmetatable({}, { __mode = "k" })

--- Waits until an object is on the workers; without it there is no handle either.
---@param pool WorkerPool
---@param call userdata?  nil: it is there already
---@param remote RemoteObject
---@return RemoteObject
---@nodiscard
function M.placed(pool, call, remote)
  if call then
    local ok, e = pcall(finish, pool, call)
    if not ok then
      remote:remove()
      error(e, 0)
    end
  end
  owners[remote] = pool
  return remote
end

---@class RemoteObject
---@field removed boolean
local RemoteObject = core.remote_methods

--- Raises where there is no worker of that number.
---@param pool WorkerPool
---@param level integer  of the function to blame
function M.check_worker(pool, worker, level)
  if math.type(worker) ~= "integer" or worker < 1 or worker > pool.workers then
    error(("worker: an integer from 1 to %d expected, got %s"):format(pool.workers,
      options.show(worker)), level + 1)
  end
end

local function check(remote, level)
  if options.kind(remote) ~= "neap.RemoteObject" then
    error(("remote: RemoteObject expected, got %s"):format(options.kind(remote)), level + 1)
  end
  local pool = owners[remote]
  if remote.removed or not pool then
    error(("%s has no object"):format(tostring(remote)), level + 1)
  end
  return pool
end

--- A copy of what the handle refers to.
---@param worker integer?  of one worker; default: a list of all
---@return any
---@nodiscard
function RemoteObject:get(worker)
  local pool = check(self, 2)
  if worker ~= nil then M.check_worker(pool, worker, 2) end
  return (finish(pool, pool._core:get(self, worker)))
end

--- The parts of something that was scattered.
---@param pool WorkerPool
---@param remote RemoteObject
---@param what "VectorArray"|"list"  that each of them must be
---@param level integer  of the function to blame
---@return table  by worker
---@nodiscard
function M.parts(pool, remote, what, level)
  if check(remote, level + 1)._core ~= pool._core then
    error("remote: a RemoteObject of this pool expected, got one of another", level + 1)
  end
  local parts = finish(pool, pool._core:get(remote))
  local kind = what == "list" and "table" or "neap." .. what
  for w = 1, pool.workers do
    local part = parts[w]
    if options.kind(part) ~= kind then
      error(("remote: a %s on each worker expected, got %s on worker %d"):format(what,
        options.kind(part), w), level + 1)
    end
  end
  return parts
end

--- The pool that a RemoteObject belongs to.
---@param remote RemoteObject
---@return WorkerPool?
function M.pool_of(remote) return owners[remote] end

---@class RemoteObjectManager
local Manager = { __name = "RemoteObjectManager" }
Manager.__index = Manager

--- Removes, at the end of a scope, all that it was given.
---@return RemoteObjectManager
---@nodiscard
function M.RemoteObjectManager() return setmetatable({}, Manager) end

--- Takes charge of a handle.
---@param remote RemoteObject
---@return RemoteObject  remote
function Manager:manage(remote)
  if (type(remote) ~= "userdata" and type(remote) ~= "table") or not remote.remove then
    error(("remote: RemoteObject expected, got %s"):format(options.kind(remote)), 2)
  end
  self[#self + 1] = remote
  return remote
end

--- Removes every handle; may be repeated.
function Manager:remove_objects()
  for i = #self, 1, -1 do
    self[i]:remove(2) -- messages show where the manager was told to
    self[i] = nil
  end
end
Manager.__close = Manager.remove_objects

return M
