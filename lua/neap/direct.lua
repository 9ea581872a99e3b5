--- A pool that only calls: functions run here and now, on the caller's own objects.
--
-- Algorithms use it when they are given no pool, so that there is one path through each. A
-- RemoteObject is resolved where it stands as an argument of its own, or in neap.kw; inside
-- tables it is not looked for.
local class = require "neap.class"
local host_array = require "host.array"

local M = {}

-- Until it is closed, BLAS runs on one thread.
local OneThread = { __close = function(self) host_array.blas_threads(self.before) end }
local function one_thread()
  return setmetatable({ before = host_array.blas_threads(1) }, OneThread)
end

---@class DirectRemote
---@field removed boolean
local Remote = class("neap.DirectRemote")

local function check(remote, level)
  if remote.removed then error("RemoteObject has been removed", level + 1) end
end

function Remote:get(worker)
  check(self, 2)
  if worker == nil then return { n = 1, self._object } end
  return self._object
end

function Remote:remove()
  self._object, self.removed = nil, true
end
Remote.__close = Remote.remove

---@class DirectPool
---@field workers integer   1
---@field transport string  "direct"
local Direct = class("neap.DirectPool")
Direct.__len = function() return 1 end

local function remote(object)
  return setmetatable({ _object = object, removed = false }, Remote)
end

local function resolve(...)
  local arguments = table.pack(...)
  for i = 1, arguments.n do
    if getmetatable(arguments[i]) == Remote then
      check(arguments[i], 3)
      arguments[i] = arguments[i]._object
    end
  end
  return table.unpack(arguments, 1, arguments.n)
end

-- One list for each value that f has returned, at least one.
local function lists(...)
  local results = {}
  for i = 1, math.max(1, select("#", ...)) do
    results[i] = { n = 1, (select(i, ...)) }
  end
  return table.unpack(results)
end

function Direct:push(object) return remote(object) end

function Direct:scatter_list(list) return remote(list) end

function Direct:scatter_array(U, options)
  if not options or options.copy ~= false then return remote(U) end
  return remote(require "neap.pool.emptied" (U, 2))
end

function Direct:gather_list(list) return list:get(1) end

function Direct:gather_array(array) return array:get(1) end

-- Calls f as a worker would: BLAS on one thread, for the same bits.
local function call(f, ...)
  local _ <close> = one_thread()
  return f(resolve(...))
end

function Direct:keep(f, ...) return remote((call(f, ...))) end

function Direct:apply(f, ...) return lists(call(f, ...)) end

function Direct:apply_only(f, worker, ...)
  if worker ~= 1 then
    error(("worker: 1 expected, got %s"):format(tostring(worker)), 2)
  end
  return call(f, ...)
end

function Direct:map(f, ...)
  local sequence = require "neap.pool.sequence"
  local sequences = table.pack(resolve(...))
  local kw = sequence.unwrap_kw(sequences[sequences.n])
  if kw then sequences.n = sequences.n - 1 end
  local total = sequence.check(sequences, 2)
  local results, most = {}, 1
  for i = 1, total do
    local items = {}
    for s = 1, sequences.n do items[s] = sequence.item(sequences[s], i) end
    if kw then items[sequences.n + 1] = kw end
    local n = sequences.n + (kw and 1 or 0)
    local values_of_item = table.pack(call(f, table.unpack(items, 1, n)))
    most = math.max(most, values_of_item.n)
    for k = 1, most do
      results[k] = results[k] or {}
      results[k][i] = values_of_item[k]
    end
  end
  for k = 1, most do
    results[k] = results[k] or {}
    results[k].n = total
  end
  return table.unpack(results, 1, most)
end

function Direct:reduce(f, seq, combine, kw)
  local results = kw == nil and self:map(f, seq) or self:map(f, seq, kw)
  local value = results[1]
  for i = 2, results.n do value = combine(value, results[i]) end
  return value
end

function Direct:with() return self end

function Direct:close() end
Direct.__close = Direct.close

M.pool = setmetatable({ workers = 1, transport = "direct" }, Direct)

return M
