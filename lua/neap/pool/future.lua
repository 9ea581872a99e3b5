--- What an asynchronous call will bring.
local core = require "host.pool"
local errors = require "neap.pool.worker_error"
local finish = require "neap.pool.finish".finish

---@class Future
---@field _pool WorkerPool
---@field _call userdata
local Future = { __name = "Future" }
Future.__index = Future

local M = {}

--- Wraps a call of the core.
---@param pool WorkerPool
---@param call userdata
---@return Future
---@nodiscard
function M.new(pool, call)
  return setmetatable({ _pool = pool, _call = call }, Future)
end

--- Waits for the results and returns them, or raises what the call raises; every time.
---@return any ...
function Future:get()
  if not self._results then
    local results = table.pack(pcall(finish, self._pool, self._call))
    self._results = results
  end
  if not self._results[1] then error(self._results[2], 0) end
  return table.unpack(self._results, 2, self._results.n)
end

--- Is the call over? Does not wait.
---@return boolean
function Future:done()
  return self._results ~= nil or self._call:is_done() or self._pool._core:is_closed()
end

--- Ends the call: what runs is stopped, what has not begun is taken back.
function Future:cancel()
  if self:done() or self._pool._core:is_closed() then return end
  self._pool._core:stop(self._call)
  self._results = table.pack(false, errors.new({ { kind = "interrupted",
    message = "the call was cancelled" } }, table.pack(self._call:unpack())))
end

function Future:__tostring()
  return self:done() and "Future (done)" or "Future"
end

local function check(futures)
  if type(futures) ~= "table" then
    error(("futures: list expected, got %s"):format(type(futures)), 3)
  end
  for i, future in ipairs(futures) do
    if getmetatable(future) ~= Future then error(("futures: item %d is no Future"):format(i), 3) end
  end
  return #futures
end

--- Waits until one of the futures is done.
---@param futures Future[]  at least one
---@return integer index, Future future  the first in the list that is done
function M.wait_any(futures)
  if check(futures) == 0 then error("futures: at least one expected", 2) end
  local calls = {}
  for i, future in ipairs(futures) do
    if future._results then return i, future end
    calls[i] = future._call
  end
  local i = core.wait_any(calls)
  if not i then
    local future = futures[1]
    return 1, (future:cancel() or future) -- interrupted: its get raises that
  end
  return i, futures[i]
end

--- Waits until all are done; raises nothing.
---@param futures Future[]
function M.wait_all(futures)
  check(futures)
  for _, future in ipairs(futures) do pcall(future.get, future) end
end

return M
