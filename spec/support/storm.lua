--- Drivers that run while another process kills their workers, and must not feel it.
---
---     local storm = require "spec.support.storm"
---     local report = storm.weather(storm.jobs.arrays, { kills = 20 })
local neap = require "neap"
local clock = require "host.clock"
local command = require "spec.support.command"

local M = {}

-- --- what a result is, to the last bit ---------------------------------------------------------

local writers = {}

local function write(list, x)
  local kind = math.type(x) or type(x)
  list[#list + 1] = kind .. ":"
  local writer = writers[kind]
  if writer then writer(list, x) else list[#list + 1] = tostring(x) end
end

function writers.float(list, x) list[#list + 1] = string.pack("<d", x) end

function writers.table(list, t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) < type(b)
  end)
  for _, key in ipairs(keys) do
    write(list, key)
    write(list, t[key])
  end
end

-- Through a file: how an array lies in memory does not show there.
function writers.userdata(list, x)
  local path = os.tmpname()
  neap.save(path .. ".npy", x)
  local file = assert(io.open(path .. ".npy", "rb"))
  list[#list + 1] = file:read "a"
  file:close()
  os.remove(path .. ".npy")
  os.remove(path)
end

--- All bits of numbers, strings, arrays and tables of them, as one string.
---@return string
---@nodiscard
function M.bits(...)
  local list = {}
  for i = 1, select("#", ...) do write(list, (select(i, ...))) end
  return table.concat(list, " ")
end

-- --- the jobs -----------------------------------------------------------------------------------

---@class StormJob
---@field name string
---@field run fun(pool: WorkerPool): any ...  the same whatever happens to the workers

---@type table<string, StormJob>
M.jobs = {}

M.jobs.greedy = { name = "greedy" }

function M.jobs.greedy.run(pool)
  local greedy = require "neap.algorithms.greedy"
  local reductors = require "neap.reductors"
  local fom, space = require "neap.problems".thermal_block { blocks = { 2, 2 }, n = 20 }
  local reductor = reductors.CoerciveRBReductor(fom, { product = fom.products.energy,
    coercivity_estimator = function(mu) return math.min(table.unpack(mu.diffusion)) end })
  local result = greedy.rb_greedy(fom, reductor, space:sample_uniformly(6),
    { max_extensions = 12, pool = pool })
  return result.max_errs, result.max_err_mus, reductor.bases.RB
end

M.jobs.arrays = { name = "arrays" }

-- Adds what is random, and what a global says: a replay must see both as they were.
local function change(U, k)
  for i = 1, #U do U[i]:scal(1 + math.random() / 8) end
  if #U > 0 then U:axpy(storm_factor, U[k % #U + 1]:copy()) end -- luacheck: ignore
  return #U
end

local function measure(u, i, kw)
  local sum = 0
  for j = 1, 200 do sum = sum + u:get(j, 1) * math.random() end
  return sum, kw.basis:inner(u):get(1, 1), i + kw.table.sum
end

-- The arrays are large enough to be shared memory on the way.
function M.jobs.arrays.run(pool)
  local VectorArray = neap.VectorArray
  local U = VectorArray.random(4000, 30, { seed = 7 })
  local basis <close> = pool:push(VectorArray.random(4000, 10, { seed = 8 }))
  local counter <close> = pool:push { sum = 0 }
  local scattered <close> = pool:scatter_array(U, { copy = false })
  local found = {}
  for k = 1, 30 do
    U = pool:gather_array(scattered)
    _G.storm_factor = 1 / k
    found[#found + 1] = pool:apply(change, scattered, k)
    pool:apply(function(c) c.sum = c.sum + k end, counter)
    local kept <close> = pool:keep(function(V, c) return { V:copy(), c.sum } end, scattered,
      counter)
    pool:apply_only(function(t, V) t[2] = t[2] + #V end, 1, kept, scattered)
    found[#found + 1] = { pool:map(measure, U, neap.range(1, 30),
      neap.kw { basis = basis, table = counter }) }
    found[#found + 1] = pool:map(function(i) return i * math.random(1000) end, neap.range(1, 500))
    found[#found + 1] = pool:apply(function(t) return t[1]:norm(), t[2] end, kept)
    basis:get(1):scal(2)
  end
  _G.storm_factor = nil
  return pool:gather_array(scattered), found, basis:get(), counter:get()
end

M.jobs.memory = { name = "memory" }

-- Writes at the edge of a page on one side, of the whole array on the other.
local function write_there(V, W, k)
  V:set(512 * k, 2, k)
  V:set(512 * k + 1, 2, -k)
  if #W > 0 then W:scal(1 + 1 / k) end
end

-- Each vector is half a megabyte: all of it is memory that processes share.
function M.jobs.memory.run(pool)
  local U = neap.VectorArray.random(2 ^ 16 | 0, 6, { seed = 9 })
  local found = {}
  for k = 1, 12 do
    local pushed <close> = pool:push(U)
    U:set(512 * k, 1, k)
    local scattered <close> = pool:scatter_array(U:copy(), { copy = false })
    pool:apply(write_there, pushed, scattered, k)
    local back = pool:apply(function(V, alpha) return V + alpha * V, V[2] end, pushed, 1 / k)
    local again = pool:apply(function(X) return X[#X] end, back)
    found[#found + 1] = { back[1]:norm(), back[2]:get(512 * k, 2), again[1]:norm() }
    local kept <close> = pool:keep(function(W, V) return 0.5 * W, V:slice(1, 2) end, scattered,
      pushed)
    found[#found + 1] = pool:apply(function(W) return W:norm() end, kept)
    U = pool:gather_array(scattered)
    U:scal(0.5)
    found[#found + 1] = pool:map(function(u) return u:norm()[1] end, U)
  end
  return U, found
end

-- What this process holds of arrays' memory, and how many descriptors it has.
local function holdings()
  collectgarbage()
  collectgarbage() -- finalizers may drop what others hold
  local held = { descriptors = 0, memfds = 0, mappings = 0 }
  for fd in require "lfs".dir("/proc/self/fd") do
    held.descriptors = held.descriptors + 1
    local link = require "lfs".symlinkattributes("/proc/self/fd/" .. fd, "target")
    if link and link:find("^/memfd:neap ") then held.memfds = held.memfds + 1 end
  end
  local maps <close> = assert(io.open("/proc/self/maps"))
  held.mappings = select(2, maps:read("a"):gsub("/memfd:neap ", ""))
  return held
end

-- Of driver and workers. The call tells of what was removed, so that it comes first; a driver that
-- replaces a worker just now has other descriptors.
local function all_holdings(pool)
  local workers, here = pool:apply(holdings), holdings()
  return { driver = { here.memfds, here.mappings }, workers = workers }
end

-- --- the weather --------------------------------------------------------------------------------

---@class StormReport
---@field runs integer      of the job during the storm
---@field kills string      as the killer counts them, by signal
---@field deaths integer    processes that were replaced
---@field quiet number      seconds of a quiet run
---@field stormy number     seconds of all runs in the storm
---@field per_death number  seconds that each death has cost
---@field differing integer runs whose bits were others
---@field leaking integer   runs after which driver or workers held what they had not held before

local function restarts(pool)
  local n = 0
  for _, s in ipairs(pool:status()) do n = n + s.restarts end
  return n
end

local function once(job, options, f)
  local all <close> = neap.pool { workers = options.workers or 2 }
  local pool = all:with { retries = math.huge, stopped_grace = 0.2 }
  local before = M.bits(all_holdings(pool))
  local bits = M.bits(job.run(pool))
  local after = all_holdings(pool)
  if f then f(pool, M.bits(after) ~= before) end
  return bits
end

-- Runs the job n times without a storm; the bits, and the seconds that a run has taken.
local function quiet(job, options, n)
  local bits
  local start = clock.now()
  for _ = 1, n do bits = once(job, options) end
  return bits, (clock.now() - start) / n
end

--- Runs the job in quiet, then again and again while workers are killed.
---@param job StormJob
---@param options { kills: integer, workers: integer?, seed: integer?, signals: string?,
---  least: number?, most: number?, quiet_runs: integer? }
---  how many deaths to wait for; the signals to choose from; seconds between kills; quiet runs
---  before and after, whose time is compared
---@return StormReport
---@nodiscard
function M.weather(job, options)
  local n = options.quiet_runs or 1
  local expected = quiet(job, options, 1) -- fills caches
  local _, before = quiet(job, options, n)
  local report = { runs = 0, deaths = 0, differing = 0, leaking = 0 }
  local flag = command.write ""
  local killer = assert(io.popen(("exec %s spec/support/storm_killer.lua %s %d %s %g %g"):format(
    command.quote(command.neap), flag, options.seed or 1, options.signals or "KILL,SEGV,STOP",
    options.least or 0.05, options.most or 0.5)))
  local start = clock.now()
  local ok, problem = pcall(function()
    while report.deaths < options.kills do
      local bits = once(job, options, function(pool, leaks)
        report.deaths = report.deaths + restarts(pool)
        if leaks then report.leaking = report.leaking + 1 end
      end)
      report.runs = report.runs + 1
      if bits ~= expected then report.differing = report.differing + 1 end
    end
  end)
  report.stormy = clock.now() - start
  os.remove(flag)
  report.kills = killer:read "a":gsub("\n$", "")
  killer:close()
  if not ok then error(problem, 0) end
  local _, after = quiet(job, options, n)
  report.quiet = (before + after) / 2
  report.per_death = (report.stormy - report.runs * report.quiet) / math.max(report.deaths, 1)
  return report
end

return M
