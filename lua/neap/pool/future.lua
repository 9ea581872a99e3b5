--- What an asynchronous call will bring.
local core = require "host.pool"
local errors = require "neap.pool.worker_error"
local finishing = require "neap.pool.finish"
local options = require "neap.options"

---@class Future
---@field _pool WorkerPool
---@field _call userdata
---@field _places "item"|"worker"|"value"  what an error may stand in the place of
local Future = { __name = "Future" }
Future.__index = Future

local M = {}

--- Wraps a call of the core.
---@param pool WorkerPool
---@param call userdata
---@param places "item"|"worker"|"value"
---@return Future
---@nodiscard
function M.new(pool, call, places)
  return setmetatable({ _pool = pool, _call = call, _places = places }, Future)
end

--- Waits for the results and returns them, or raises what the call raises; every time.
---@return any ...
function Future:get()
  if not self._results then
    local results = table.pack(pcall(finishing.finish, self._pool, self._call, self._places))
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
  if self._results or self._pool._core:is_closed() or self._call:is_done(true) then return end
  self._pool._core:stop(self._call)
  self._results = table.pack(false, errors.new({ { kind = "interrupted",
    message = "the call was cancelled" } }, table.pack(self._call:unpack()),
    finishing.items_of(self._call, self._places)))
end

function Future:__tostring()
  return self:done() and "Future (done)" or "Future"
end

local function check(futures)
  if type(futures) ~= "table" then
    error(("futures: list expected, got %s"):format(type(futures)), 3)
  end
  if getmetatable(futures) == Future then
    error("futures: list of Futures expected, got a Future itself", 3)
  end
  if #futures == 0 and next(futures) ~= nil then
    error(("futures: list expected, got a table whose first field is %s"):format(
      options.show(next(futures))), 3)
  end
  for i = 1, #futures do -- no nil among them ends the list
    if getmetatable(futures[i]) ~= Future then
      error(("futures: item %d is no Future"):format(i), 3)
    end
  end
  return #futures
end

-- Ctrl-C in a wait for several ends all that are not done, and is raised.
local function interrupt(futures)
  local first
  for _, future in ipairs(futures) do
    if not future._results and not future._pool._core:is_closed() then
      local e = finishing.interrupt(future._pool, future._call, future._places)
      if e then future._results = table.pack(false, e) end
      first = first or e
    end
  end
  error(first or errors.interrupted(), 0)
end

-- Is it Ctrl-C that has raised e, in the wait for a call or in Lua code of the driver?
local function is_interrupt(e)
  if type(e) == "string" then return e:find("interrupted!", 1, true) ~= nil end
  return type(e) == "table" and e.kind == "interrupted" and e.message == "interrupted"
end

--- Waits until one of the futures is done. Ctrl-C ends them all, and is raised.
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
  if not i then interrupt(futures) end
  return i, futures[i]
end

--- Waits until all are done. Returns nothing and raises nothing but Ctrl-C, which ends them all:
--- what each has brought, or the error that it raises, its get tells.
---@param futures Future[]
function M.wait_all(futures)
  check(futures)
  for _, future in ipairs(futures) do
    local is_known = future._results ~= nil
    local ok, e = pcall(future.get, future)
    if not ok and not is_known and is_interrupt(e) then
      pcall(interrupt, futures)
      error(e, 0)
    end
  end
end

return M
