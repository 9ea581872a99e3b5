--- RemoteObject: a handle of something that lives on the workers of a pool.
local core = require "host.pool"
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

--- A copy of what the handle refers to.
---@param worker integer?  of one worker; default: a list of all
---@return any
---@nodiscard
function RemoteObject:get(worker)
  local pool = owners[self]
  if self.removed or not pool then error(("%s has no object"):format(tostring(self)), 2) end
  if worker ~= nil and (math.type(worker) ~= "integer" or worker < 1 or worker > pool.workers) then
    error(("worker: an integer from 1 to %d expected, got %s"):format(pool.workers,
      tostring(worker)), 2)
  end
  return (finish(pool, pool._core:get(self, worker)))
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
  self[#self + 1] = remote
  return remote
end

--- Removes every handle; may be repeated.
function Manager:remove_objects()
  for i = #self, 1, -1 do
    self[i]:remove()
    self[i] = nil
  end
end
Manager.__close = Manager.remove_objects

return M
