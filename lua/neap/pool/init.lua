--- WorkerPool: functions and data on worker processes.
local core = require "host.pool"
local errors = require "neap.pool.worker_error"
local finishing = require "neap.pool.finish"
local future = require "neap.pool.future"
local options = require "neap.options"
local remotes = require "neap.pool.remote"
local sequence = require "neap.pool.sequence"
local settings = require "neap.pool.settings"
local taken = require "neap.pool.taken"
local view = require "neap.pool.view"
local weight = require "neap.pool.weight"
local immutable = require "host.immutable"

local finish, placed = finishing.finish, remotes.placed

local M = {}

--- What its workers print appears here before their call returns, line by line, each marked with
--- the worker's number. Lines of more than 1 MiB come in pieces.
---@class WorkerPool       its fields can be read only
---@field workers integer    how many
---@field transport "local"|"mpi"|"inline"
---@field _core userdata
---@field _options table     of a view made by with
local WorkerPool = { __name = "WorkerPool" }

function WorkerPool:__index(name)
  local method = WorkerPool[name]
  if method ~= nil then return method end
  if name == "workers" then return self._workers end
  if name == "transport" then return self._transport end
  return nil
end

function WorkerPool:__newindex(name)
  error(("a WorkerPool's fields cannot be set: '%s'"):format(tostring(name)), 2)
end

local READY_SECONDS = 30

-- A call that has just been made gets the limits of the view it was made through, and the user
-- a word when it carries much.
local function begun(pool, call, f, ...)
  local o = pool._options
  if o.has_limits then call:limit(o.retries, o.item_timeout, o.stopped_grace) end
  local bytes = pool._core:heavy()
  if bytes then weight.warn(pool._core, bytes, f, ...) end
  return call
end

--- Opens a pool of worker processes.
---@param given PoolOptions?
---@return WorkerPool
---@nodiscard
function M.open(given)
  local o = settings.parse(given, 2)
  local opened = core.open(o.workers, o.seed, o.blas_threads, o.memory_limit)
  local self = setmetatable({ _core = opened, _options = {}, _workers = opened:workers(),
    _transport = opened:transport() }, WorkerPool)
  local late, why = self._core:wait_ready(READY_SECONDS)
  if late then
    self._core:close()
    if late == 0 then error(errors.interrupted(), 0) end
    error(("worker %d did not start%s"):format(late, why and ": " .. why or ""), 2)
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

function WorkerPool:__len() return self._workers end

function WorkerPool:__tostring()
  if self._core:is_closed() then return "WorkerPool (closed)" end
  return ("WorkerPool of %d worker%s (%s)"):format(self.workers, self.workers == 1 and "" or "s",
    self.transport)
end

--- Ends the workers; calls under way are over. May be repeated. Ctrl-C shortens what it takes for
--- those that do not end by themselves, and is raised when all are gone.
function WorkerPool:close()
  if self._core:close() then error(errors.interrupted(), 0) end
end
WorkerPool.__close = WorkerPool.close

--- A view of the pool with options that hold for calls made through it.
---@param given ViewOptions
---@return WorkerPool
---@nodiscard
function WorkerPool:with(given)
  local o = view.merge(self._options, given, 2)
  o.has_limits = o.retries or o.item_timeout or o.stopped_grace
  return setmetatable({ _core = self._core, _options = o, _workers = self._workers,
    _transport = self._transport }, WorkerPool)
end

--- A copy of object on every worker. An immutable is sent once however often it is pushed.
---@param object any
---@return RemoteObject
---@nodiscard
function WorkerPool:push(...)
  if select("#", ...) ~= 1 then
    error(("object: one value expected, got %d"):format(select("#", ...)), 2)
  end
  local object = ...
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
  if options.kind(U) ~= "neap.VectorArray" then
    error(("U: VectorArray expected, got %s"):format(options.kind(U)), 2)
  end
  local V = U
  if not o.copy then
    V = require "neap.pool.emptied" (U, 2)
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
    error(("list: table expected, got %s"):format(options.kind(list)), 2)
  end
  local n, parts = list.n or #list, {}
  for w = 1, self.workers do
    local first, last = share(n, self.workers, w)
    parts[w] = table.move(list, first, last, 1, { n = list.n and last - first + 1 })
  end
  local ok, call, remote = pcall(self._core.scatter, self._core, parts)
  if not ok then
    local held <close> = self._core:holds()
    self._core:check_items(list, n, "list", held) -- which names the item by its number in the list
    error(call, 0)
  end
  return placed(self, call, remote)
end

local function check_function(f, level, name)
  if not options.is_callable(f) then
    error(("%s: function expected, got %s"):format(name or "f", options.kind(f)), level + 1)
  end
end

--- f(...) on each worker, in parallel.
---@param f function
---@return any[]  ordered by worker; one such list for each value that f returns
function WorkerPool:apply(f, ...)
  check_function(f, 2)
  return finish(self, begun(self, self._core:apply(f, ...), f, ...), "worker")
end

--- f(...) on one worker.
---@param f function
---@param worker integer  from 1
---@return any ...  what f returns
function WorkerPool:apply_only(f, worker, ...)
  check_function(f, 2)
  remotes.check_worker(self, worker, 2)
  return finish(self, begun(self, self._core:apply_only(worker, f, ...), f, ...), "value")
end

--- Keeps what f(...) returns on each worker there.
---@param f function
---@return RemoteObject  to the first value
---@nodiscard
function WorkerPool:keep(f, ...)
  check_function(f, 2)
  local call, remote = self._core:keep(f, ...)
  return placed(self, begun(self, call, f, ...), remote)
end

-- Starts a map; more: further options of the core.
local function start_map(pool, f, level, more, ...)
  check_function(f, level + 1)
  local sequences = table.pack(...)
  local kw = sequence.unwrap_kw(sequences[sequences.n])
  if kw then sequences.n = sequences.n - 1 end
  local total = sequence.check(sequences, level + 1)
  local held <close> = pool._core:holds()
  local packed = sequence.check_items(sequences, total, pool._core, held)
  local o, order = pool._options, nil
  if more.async then sequences = taken(sequences, packed) end
  if o.cost then
    order = view.order(o.cost, total, function(i) return sequence.items(sequences, i) end)
    sequences, packed = sequence.permute(sequences, order), {}
  end
  local call = pool._core:map(f, kw, {
    total = total, chunk = o.item_timeout and 1 or o.chunk or 0, static = o.schedule == "static",
    collect = o.on_error ~= nil and o.on_error ~= "stop", order = order,
    stream = more.stream, async = more.async, held = held,
  }, sequence.describe(sequences, packed))
  return begun(pool, call, f, kw)
end

--- f(seq1[i], ..., seqk[i] [, kw]) for every i, on whichever worker is free.
---@param f function
---@param ... any  lists, VectorArrays or ranges of one length; last, if any, a neap.kw
---@return any[]  in the items' order; one such list for each value that f returns
function WorkerPool:map(f, ...)
  return finish(self, start_map(self, f, 2, {}, ...), "item")
end

--- apply, without waiting.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:apply_async(f, ...)
  check_function(f, 2)
  return future.new(self, begun(self, self._core:apply_async(f, ...), f, ...), "worker")
end

--- map, without waiting: chunks are handed out whenever the driver waits for something. Lists,
--- the plain tables in them and VectorArrays are taken as they are now, see neap.pool.taken; the
--- objects of handles among the items stay until the map is over, though a handle is removed.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:map_async(f, ...)
  return future.new(self, start_map(self, f, 2, { async = true }, ...), "item")
end

--- f(...) on one worker, the first that is free.
---@param f function
---@return Future
---@nodiscard
function WorkerPool:submit(f, ...)
  check_function(f, 2)
  return future.new(self, begun(self, self._core:submit(f, ...), f, ...), "value")
end

-- The same when all have come: errors stand in the places of results, or what a function makes of
-- them.
local function reduce_whole(pool, call, combine)
  local list = finish(pool, call, "item")
  local value = list[1]
  for i = 2, list.n do value = combine(value, list[i]) end
  return value
end

--- combine(combine(r1, r2), r3) ... of the results of a map, in the items' order, done here while
--- they come; where errors are to stand in their items' places, when all have come.
---@param f function
---@param seq any          as in map
---@param combine function of two results
---@param kw Kw?
---@return any  nil for an empty sequence
function WorkerPool:reduce(f, seq, combine, kw)
  check_function(f, 2)
  check_function(combine, 2, "combine")
  if kw ~= nil and not sequence.unwrap_kw(kw) then
    error(("kw: a neap.kw expected, got %s"):format(options.kind(kw)), 2)
  end
  local on_error = self._options.on_error
  local is_whole = on_error ~= nil and on_error ~= "stop"
  local call = start_map(self, f, 2, { stream = not is_whole },
    table.unpack({ seq, kw }, 1, kw == nil and 1 or 2))
  return (is_whole and reduce_whole or finishing.reduce)(self, call, combine)
end

--- What apply(f, ...) would send: values, bytes, and what could not be sent.
---@param f function
---@return Explanation
---@nodiscard
function WorkerPool:explain(f, ...)
  check_function(f, 2)
  return weight.explain(self._core, f, ...)
end

--- A scattered array in one piece again. Parts that no worker has written are not copied.
---@param remote RemoteObject
---@return VectorArray
---@nodiscard
function WorkerPool:gather_array(remote)
  local parts = remotes.parts(self, remote, "VectorArray", 2)
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
  for _, part in ipairs(remotes.parts(self, remote, "list", 2)) do
    local length = part.n or #part
    table.move(part, 1, length, n + 1, list)
    n = n + length
  end
  list.n = n
  return list
end

--- What each worker is and does.
---@return table[]  worker, pid, host, state, item, rss (bytes), cpu (seconds), objects,
---  bytes_sent, bytes_received, blas_threads, restarts
function WorkerPool:status() return self._core:status() end

--- Sends a signal to a worker, for tests of recovery.
---@param worker integer
---@param signal integer?  default 9 (SIGKILL)
function WorkerPool:kill(worker, signal)
  remotes.check_worker(self, worker, 2)
  if signal == nil then signal = 9 end
  if math.type(signal) ~= "integer" or signal < 1 or signal > 64 then
    error(("signal: an integer from 1 to 64 expected, got %s"):format(options.show(signal)), 2)
  end
  self._core:kill(worker, signal)
end

-- A method that is called with a dot for the colon says so.
for name, method in pairs(WorkerPool) do
  if name:sub(1, 2) ~= "__" then
    WorkerPool[name] = function(self, ...)
      if getmetatable(self) ~= WorkerPool then
        error(("%s: WorkerPool expected before the arguments, got %s: call pool:%s(...), with a "
          .. "colon"):format(name, options.kind(self), name), 2)
      end
      return method(self, ...)
    end
  end
end

M.WorkerError = errors.WorkerError
M.kw, M.range = sequence.kw, sequence.range
M.wait_any, M.wait_all = future.wait_any, future.wait_all
M.RemoteObjectManager, M.pool_of = remotes.RemoteObjectManager, remotes.pool_of

return M
