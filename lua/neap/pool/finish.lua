--- The wait for a call: its results, or the error that it raises.
local errors = require "neap.pool.worker_error"
local progress = require "neap.pool.progress"
local clock = require "host.clock".now
local core = require "host.pool"

local M = {}

--- How many items a call has, if it is a map.
---@param call userdata
---@param places string?
---@return integer?
---@nodiscard
function M.items_of(call, places)
  if places ~= "item" then return nil end
  local _, total = call:progress()
  return total
end

-- What a call that was stopped raises: what was found where it was stopped, if anything.
local function stopped(kind, message, call, places)
  local at, best = {}, -1
  for _, e in ipairs(call:errors() or {}) do
    local lines = e.traceback and e.traceback:find("\n", 1, true) -- none: it had not begun
    local known = (e.item and 2 or 0) + (lines and 1 or 0)
    if e.stopped and known > best then at, best = e, known end
  end
  local e = { kind = kind, message = message, worker = at.worker, item = at.item or nil,
    traceback = at.traceback, stopped = true }
  return errors.new({ e }, table.pack(call:unpack()), M.items_of(call, places))
end

--- Ends a call, as Ctrl-C does.
---@param pool WorkerPool
---@param call userdata
---@param places string?
---@return WorkerError?  what it raises now; nil: it was over already, or came to its end
---@nodiscard
function M.interrupt(pool, call, places)
  pool._core:stop(call)
  local done, total = call:progress()
  local is_whole = done == total
  for _, e in ipairs(call:errors() or {}) do
    if e.stopped or e.kind == "interrupted" then is_whole = false end
  end
  if is_whole then return nil end
  return stopped("interrupted", "interrupted", call, places)
end

local function closed(call, places)
  return errors.new({ { kind = "interrupted",
    message = "the pool was closed before the call was over" } }, table.pack(call:unpack()),
    M.items_of(call, places))
end

-- Waits until the call is over, or raises why it will not be.
local function wait(pool, call, seconds, places)
  local o = pool._options
  local over = call:wait(seconds or o.timeout)
  if not over then
    local kind = pool._core:stop(call)
    error(stopped(kind, kind == "timeout" and ("call took longer than %g s"):format(o.timeout)
      or "interrupted", call, places), 0)
  end
  if not call:is_done() then error(closed(call, places), 0) end
end

-- Runs f, which the user's own functions may make fail: that ends the call.
local function protect(pool, call, f, ...)
  local ok, e = pcall(f, ...)
  if ok then return e end
  if not pool._core:is_closed() then pool._core:stop(call) end
  error(e, 0)
end

-- Where the workers are that the errors come from.
local function note_hosts(pool, list)
  if pool._core:is_closed() then return end
  local status = pool._core:status()
  for _, e in ipairs(list) do
    if e.worker and not e.host then e.host = status[e.worker].host end
  end
end

-- The errors of a call, each in the place of the result that it is instead of, or what the user's
-- function makes of it. nil: one of them has no such place.
local function in_places(list, places, on_error, results)
  for _, e in ipairs(list) do
    local has_place = places == "value" or (places and e[places])
    if not has_place or not e.worker then return nil end
  end
  for _, e in ipairs(list) do
    local stands = errors.wrap(e)
    if on_error ~= "collect" then stands = on_error(stands) end
    if places == "value" then return { stands, n = 1 } end
    results[1][e[places]] = stands
  end
  return results
end

--- Waits for a call and returns what it has brought, or raises.
---@param pool WorkerPool
---@param call userdata
---@param places "item"|"worker"|"value"|nil  what an error may stand in the place of
function M.finish(pool, call, places)
  local o = pool._options
  if o.has_limits or o.timeout then
    call:limit(o.retries, o.item_timeout, o.stopped_grace, o.timeout)
  end
  if o.progress or o.on_progress then
    protect(pool, call, progress.wait, call, o)
    wait(pool, call, 0, places)
  else
    wait(pool, call, nil, places)
  end
  local list = call:errors()
  if not list then return call:unpack() end
  note_hosts(pool, list)
  local on_error, results = o.on_error, table.pack(call:unpack())
  local complete = on_error ~= nil and on_error ~= "stop"
    and in_places(list, places, on_error, results)
  if not complete then error(errors.new(list, results, M.items_of(call, places)), 0) end
  return table.unpack(complete, 1, complete.n)
end

-- Takes the results of a map as they come, in the items' order; until: when to end by.
local function combine_all(call, combine, view, until_time)
  local value, done, is_first = nil, 0, true
  repeat
    local over = call:wait(math.max(math.min(view.interval, until_time - clock()), 0), done)
    for list, n in call.take, call do
      for i = 1, n do
        if is_first then value, is_first = list[i], false else value = combine(value, list[i]) end
      end
    end
    view:look(call)
    done = call:progress()
  until over or core.is_interrupted() or clock() >= until_time
  return value
end

--- Combines the results of a map in the items' order while they come.
---@param pool WorkerPool
---@param call userdata      of a map whose results are taken as a stream
---@param combine function
function M.reduce(pool, call, combine)
  local o = pool._options
  local view = progress.start(o)
  if o.timeout then call:limit(nil, nil, nil, o.timeout) end
  local value = protect(pool, call, combine_all, call, combine, view,
    o.timeout and view.began + o.timeout or math.huge)
  view:stop(call)
  wait(pool, call, o.timeout and 0, "item")
  local list = call:errors()
  if list then error(errors.new(list, nil, M.items_of(call, "item")), 0) end
  return value
end

return M
