--- WorkerPool: functions and data on worker processes.
local core = require "host.pool"
local errors = require "neap.pool.worker_error"
local future = require "neap.pool.future"
local options = require "neap.options"
local sequence = require "neap.pool.sequence"
local immutable = require "host.immutable"

local M = {}

---@class WorkerPool
---@field workers integer    how many
---@field transport "local"|"mpi"|"inline"
---@field _core userdata
---@field _options table     of a view made by with
local WorkerPool = { __name = "WorkerPool" }
WorkerPool.__index = WorkerPool

-- The pool of each RemoteObject.
local owners = setmetatable({}, { __mode = "k" })

local DEFAULTS = {
  workers = options.any, seed = 42, blas_threads = 1, setup = options.any,
}
local VIEW = {
  timeout = options.any, item_timeout = options.any, stopped_grace = 10,
  retries = options.any, on_error = options.any, chunk = options.any, progress = options.any,
  on_progress = options.any, cost = options.any, schedule = "dynamic",
}
local READY_SECONDS = 30

local function check_count(name, n, level)
  if math.type(n) ~= "integer" or n < 0 then
    error(("option '%s': an integer of at least 0 expected, got %s"):format(name, tostring(n)),
      level + 1)
  end
end

local function raise(call, list)
  error(errors.new(list, table.pack(call:unpack())), 0)
end

-- Waits for a call and returns what it has brought, or raises.
local function finish(pool, call)
  local timeout = pool._options.timeout
  if not call:wait(timeout) then
    if pool._core:is_closed() then
      raise(call, { { message = "the pool was closed before the call was over",
        kind = "interrupted" } })
    end
    local kind, message = pool._core:stop(call, pool._options.stopped_grace)
    if kind == "timeout" then message = ("call took longer than %g s"):format(timeout) end
    local list = call:errors() or { { message = message } }
    for _, e in ipairs(list) do e.kind, e.message = kind, message end
    raise(call, list)
  end
  local list = call:errors()
  if not list then return call:unpack() end
  local on_error = pool._options.on_error
  if on_error == nil or on_error == "stop" or not list[1].item then
    raise(call, list)
  end
  local results = table.pack(call:unpack())
  for _, e in ipairs(list) do
    local stands = errors.wrap(e)
    if type(on_error) == "function" then stands = on_error(stands) end
    results[1][e.item] = stands
  end
  return table.unpack(results, 1, results.n)
end

local function own(pool, remote)
  owners[remote] = pool
  return remote
end

-- Waits until an object is on the workers; without it there is no handle either.
local function placed(pool, call, remote)
  if call then
    local ok, e = pcall(finish, pool, call)
    if not ok then
      remote:remove()
      error(e, 0)
    end
  end
  return own(pool, remote)
end

--- Opens a pool of worker processes.
---@param given { workers: integer?, seed: integer?, blas_threads: integer?, setup: function? }?
---  workers: default one per core, 0: inline, in this process; seed of the random numbers;
---  threads of BLAS on each worker; a function to run once on every worker
---@return WorkerPool
---@nodiscard
function M.open(given)
  local o = options.parse(given, DEFAULTS, 2)
  local workers = o.workers or core.default_workers() or core.available_cores()
  check_count("workers", workers, 2)
  if core.is_worker() then workers = 0 end -- no processes below processes
  local self = setmetatable({
    _core = core.open(workers, o.seed, o.blas_threads), _options = { stopped_grace = 10 },
  }, WorkerPool)
  self.workers = self._core:workers()
  self.transport = self._core:transport()
  local late = self._core:wait_ready(READY_SECONDS)
  if late then
    self._core:close()
    error(("worker %d did not start"):format(late), 2)
  end
  if o.setup ~= nil then
    local ok, e = pcall(function() finish(self, self._core:set_setup(o.setup)) end)
    if not ok then
      self._core:close()
      error(e, 0)
    end
  end
  return self
end

function WorkerPool:__len() return self.workers end

function WorkerPool:__tostring()
  if self._core:is_closed() then return "WorkerPool (closed)" end
  return ("WorkerPool of %d worker%s (%s)"):format(self.workers, self.workers == 1 and "" or "s",
    self.transport)
end

--- Ends the workers; calls under way are over. May be repeated.
function WorkerPool:close() self._core:close() end
WorkerPool.__close = WorkerPool.close

--- A view of the pool with options that hold for calls made through it.
---@param given table
---@return WorkerPool
---@nodiscard
function WorkerPool:with(given)
  local o = options.parse(given, VIEW, 2)
  local merged = {}
  for name, value in pairs(self._options) do merged[name] = value end
  for name in pairs(given) do merged[name] = o[name] end
  return setmetatable({ _core = self._core, _options = merged, workers = self.workers,
    transport = self.transport }, WorkerPool)
end

--- A copy of object on every worker. An immutable is sent once however often it is pushed.
---@param object any
---@return RemoteObject
---@nodiscard
function WorkerPool:push(object)
  local call, remote = self._core:push(object, immutable.is_immutable(object))
  return placed(self, call, remote)
end

-- The bounds of share w of n items on k workers: the first n % k shares are one longer.
local function share(n, k, w)
  local size, longer = n // k, n % k
  local first = (w - 1) * size + math.min(w - 1, longer) + 1
  return first, first + size - (w <= longer and 0 or 1)
end

--- An equal part of U, up to rounding, on each worker, in order.
---@param U VectorArray   [dim, len]
---@param given { copy: boolean? }?  copy = false: U is empty afterwards
---@return RemoteObject
---@nodiscard
function WorkerPool:scatter_array(U, given)
  local o = options.parse(given, { copy = true }, 2)
  if type(U) ~= "userdata" or not pcall(function() return U.slice end) then
    error(("U: VectorArray expected, got %s"):format(type(U)), 2)
  end
  local V = U
  if not o.copy then
    V = require("neap").VectorArray.empty(U.dim)
    V:append(U, { remove_from_other = true })
  end
  local parts = {}
  for w = 1, self.workers do
    parts[w] = V:slice(share(#V, self.workers, w))
  end
  local ok, remote = pcall(function() return placed(self, self._core:scatter(parts)) end)
  for w = 1, self.workers do parts[w]:close() end
  if not o.copy then
    if not ok then U:append(V, { remove_from_other = true }) end -- nothing is lost
    V:close()
  end
  if not ok then error(remote, 0) end
  return remote
end

--- An equal part of the list, up to rounding, on each worker, in order.
---@param list any[]
---@return RemoteObject
---@nodiscard
function WorkerPool:scatter_list(list)
  if type(list) ~= "table" then
    error(("list: table expected, got %s"):format(type(list)), 2)
  end
  local n, parts = list.n or #list, {}
  for w = 1, self.workers do
    local first, last = share(n, self.workers, w)
    parts[w] = table.move(list, first, last, 1, {})
  end
  return placed(self, self._core:scatter(parts))
end

local function check_function(f, level)
  if type(f) ~= "function" then
    local call = getmetatable(f) and getmetatable(f).__call
    if not call then error(("f: function expected, got %s"):format(type(f)), level + 1) end
  end
end

--- f(...) on each worker, in parallel.
---@param f function
---@return any[]  ordered by worker; one such list for each value that f returns
function WorkerPool:apply(f, ...)
  check_function(f, 2)
  return finish(self, self._core:apply(f, ...))
end

--- f(...) on one worker.
---@param f function
---@param worker integer  from 1
---@return any ...  what f returns
function WorkerPool:apply_only(f, worker, ...)
  check_function(f, 2)
  if math.type(worker) ~= "integer" or worker < 1 or worker > self.workers then
    error(("worker: an integer from 1 to %d expected, got %s"):format(self.workers,
      tostring(worker)), 2)
  end
  return finish(self, self._core:apply_only(worker, f, ...))
end

--- Keeps what f(...) returns on each worker there.
---@param f function
---@return RemoteObject  to the first value
---@nodiscard
function WorkerPool:keep(f, ...)
  check_function(f, 2)
  return placed(self, self._core:keep(f, ...))
end

-- An order of the items, the most costly first.
local function start_map(pool, f, level, ...)
  check_function(f, level + 1)
  local sequences = table.pack(...)
  local kw = sequence.unwrap_kw(sequences[sequences.n])
  if kw then sequences.n = sequences.n - 1 end
  local total, triples = sequence.describe(sequences, level + 1)
  local o = pool._options
  return pool._core:map(f, kw, {
    total = total, chunk = o.chunk or 0, static = o.schedule == "static",
    collect = o.on_error ~= nil and o.on_error ~= "stop",
  }, triples)
end

--- f(seq1[i], ..., seqk[i] [, kw]) for every i, on whichever worker is free.
---@param f function
---@param ... any  lists, VectorArrays or ranges of one length; last, if any, a neap.kw
---@return any[]  in the items' order; one such list for each value that f returns
function WorkerPool:map(f, ...)
  return finish(self, start_map(self, f, 2, ...))
end

--- apply, without waiting.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:apply_async(f, ...)
  check_function(f, 2)
  return future.new(self, self._core:apply(f, ...), finish)
end

--- map, without waiting: chunks are handed out whenever the driver waits for something.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:map_async(f, ...)
  return future.new(self, start_map(self, f, 2, ...), finish)
end

--- f(...) on one worker, the one with the least to do.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:submit(f, ...)
  check_function(f, 2)
  return future.new(self, self._core:apply_only(self._core:least_busy(), f, ...), finish)
end

--- combine(combine(r1, r2), r3) ... of the results of a map, in the items' order.
---@param f function
---@param seq any          as in map
---@param combine function of two results
---@param kw Kw?
---@return any  nil for an empty sequence
function WorkerPool:reduce(f, seq, combine, kw)
  check_function(combine, 2)
  local call
  if kw == nil then call = start_map(self, f, 2, seq) else call = start_map(self, f, 2, seq, kw) end
  local results = finish(self, call)
  local value = results[1]
  for i = 2, results.n do value = combine(value, results[i]) end
  return value
end

--- A scattered array in one piece again. Parts that no worker has written are not copied.
---@param remote RemoteObject
---@return VectorArray
---@nodiscard
function WorkerPool:gather_array(remote)
  local parts = remote:get()
  local U = require("neap").VectorArray.cat(parts)
  for _, part in ipairs(parts) do part:close() end -- not left to the collector: they may be large
  return U
end

--- A scattered list in one piece again.
---@param remote RemoteObject
---@return any[]
---@nodiscard
function WorkerPool:gather_list(remote)
  local list, n = {}, 0
  for _, part in ipairs(remote:get()) do
    local length = part.n or #part
    table.move(part, 1, length, n + 1, list)
    n = n + length
  end
  list.n = n
  return list
end

--- What each worker is and does.
---@return table[]  worker, pid, state, item, objects, bytes_sent, bytes_received, restarts
function WorkerPool:status() return self._core:status() end

--- Sends a signal to a worker, for tests of recovery.
---@param worker integer
---@param signal integer?  default 9 (SIGKILL)
function WorkerPool:kill(worker, signal)
  self._core:kill(worker, signal or 9)
end

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

M.WorkerError = errors.WorkerError
M.kw, M.range = sequence.kw, sequence.range
M.wait_any, M.wait_all = future.wait_any, future.wait_all

return M
