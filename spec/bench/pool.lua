--- The pool: opening, latency, throughput, balance, and what it uses while nobody asks for
--- anything; beside its peers and the bare limits.
--
--     build/neap spec/bench/pool.lua [own]
--
-- own: without the peers, which take two minutes. The bare limits are a C program (cc compiles it,
-- with libuv); peers run under $PYTHON, python3 by default, where they are installed.
local neap = require "neap"
local measure = require "spec.bench.measure"
local clock = require "host.clock".now

local here = arg[0]:match("^(.*)/") or "."
local python = os.getenv("PYTHON") or "python3"

local function scaled(list, factor)
  local copy = {}
  for i, x in ipairs(list) do copy[i] = x * factor end
  return copy
end

-- --- what a pool uses while it is idle, in a process that does nothing else ---------------------

local function pss(pid)
  local file <close> = assert(io.open(("/proc/%s/smaps_rollup"):format(pid)))
  return file:read("a"):match("\nPss:%s+(%d+)") / 1024
end

local function print_idle_use()
  local pool <close> = neap.pool { workers = 2 }
  for _ = 1, 100 do pool:apply(function() end) end
  os.execute("sleep 1")
  local before, sum = pool:status(), pss("self")
  for _, worker in ipairs(before) do sum = sum + pss(worker.pid) end
  print("memory", sum)
  os.execute("sleep 3")
  for w, worker in ipairs(pool:status()) do
    print("cpu", (worker.cpu - before[w].cpu) / 3 * 100)
  end
end

if arg[1] == "idle" then
  print_idle_use()
  return
end

local function idle_use()
  local rows = { memory = {}, cpu = {} }
  for _ = 1, 3 do
    local program <close> = assert(io.popen(("%s %s idle"):format(arg[-1], arg[0])))
    for line in program:lines() do
      local name, value = line:match("^(%a+)%s+(%S+)$")
      table.insert(rows[name], tonumber(value))
    end
  end
  measure.report("memory of an idle pool of 2, sum of PSS", rows.memory, "MiB", "< 15")
  measure.report("idle, of a core, each worker", rows.cpu, "%", "< 1")
end

-- --- neap and the bare limits --------------------------------------------------------------------

local function open_and_ready()
  for _, n in ipairs { 2, 4 } do
    local times = {}
    for i = 1, 15 do
      local pool
      times[i] = measure.seconds(function() pool = neap.pool { workers = n } end)
      pool:close()
    end
    measure.report(("open a pool of %d"):format(n), scaled(times, 1e3), "ms",
      n == 2 and "< 8" or "< 15")
  end
end

local limit = os.tmpname()
local has_limit = os.execute(("cc -O2 -o %s %s/pool_limit.c -luv"):format(limit, here))

--- Seconds of each round of the bare limit.
local function bare(kind, rounds)
  local list = {}
  if not has_limit then return list end
  local program <close> = assert(io.popen(("%s %s %d"):format(limit, kind, rounds)))
  for line in program:lines() do list[#list + 1] = tonumber(line) end
  return list
end

local function latency(pool)
  local noop = function() end
  for _ = 1, 50 do pool:apply(noop) end
  local times = {}
  for i = 1, 3000 do times[i] = measure.seconds(function() pool:apply_only(noop, 1) end) end
  measure.report("apply_only, back to back", scaled(times, 1e6), "us", "< 10")
  for i = 1, 3000 do times[i] = measure.seconds(function() pool:apply(noop) end) end
  measure.report("apply on both, back to back", scaled(times, 1e6), "us", "< 12")
  if not has_limit then return end
  measure.report("  a word to both through memory, and back", scaled(bare("spinning", 3000), 1e6),
    "us")
end

local function compute()
  local stop = clock() + 0.02
  while clock() < stop do end
end

-- In turns with the bare limit, so that what else runs meets both. In the pause the driver sleeps,
-- too, while others run on its core; or it computes.
local function latency_after_a_pause(pool)
  local noop = function() end
  local kinds = {
    { "asleep", "apply on both, workers asleep", function() os.execute "sleep 0.02" end },
    { "computing", "the same, but the driver computes meanwhile", compute },
  }
  for _, entry in ipairs(kinds) do
    local kind, title, pause = table.unpack(entry)
    local paused, limits = {}, {}
    for _ = 1, 4 do
      for _ = 1, 20 do
        pause()
        paused[#paused + 1] = measure.seconds(function() pool:apply(noop) end)
      end
      table.move(bare(kind, 20), 1, 20, #limits + 1, limits)
    end
    measure.report(title, scaled(paused, 1e6), "us", "< 1.2 x the next")
    if has_limit then
      measure.report("  a message to both over libuv's pipes, and back", scaled(limits, 1e6), "us")
    end
  end
end

local function throughput(pool)
  local items = {}
  for i = 1, 1000000 do items[i] = i end
  local f = function(x) return x + 1 end
  local rates = {}
  for i, t in ipairs(measure.times(15, function() pool:map(f, items) end)) do
    rates[i] = 1e-6 / t * #items
  end
  measure.report("map x + 1 over 1,000,000 integers", rates, "M/s", "> 20")
end

local function busy(ms)
  local now = require "host.clock".now
  local till = now() + ms * 1e-3
  while now() < till do end
  return ms
end

local function balance(pool)
  local longest, shortest, random = {}, {}, {}
  for i = 1, 64 do longest[i], shortest[i], random[i] = 65 - i, i, i end
  math.randomseed(7)
  for i = 64, 2, -1 do
    local j = math.random(i)
    random[i], random[j] = random[j], random[i]
  end
  for _, order in ipairs {
    { "longest first", longest }, { "shortest first", shortest }, { "random", random },
  } do
    local ratios = {}
    for i, t in ipairs(measure.times(3, function() pool:map(busy, order[2]) end)) do
      ratios[i] = t / 1.040
    end
    measure.report("64 items of 1 to 64 ms, " .. order[1], ratios, "x ideal",
      order[1] == "longest first" and "< 1.004" or "< 1.035")
  end
end

-- --- peers --------------------------------------------------------------------------------------

local ROWS = { -- as peers/pool.py names them
  { "open", "open a pool of 2", "ms" },
  { "apply_only", "one call, back to back", "us" },
  { "apply", "one call for each worker, back to back", "us" },
  { "map", "map x + 1 over 1,000,000 integers", "M/s" },
  { "longest", "64 items of 1 to 64 ms, longest first", "x ideal" },
  { "random", "64 items of 1 to 64 ms, random", "x ideal" },
  { "memory", "memory of an idle pool of 2", "MiB" },
  { "idle", "idle, of a core, each worker", "%" },
}
local PEERS = {
  { "multiprocessing", "%s %s" },
  { "futures", "%s %s" },
  { "ipyparallel", "%s %s" },
  { "mpi", "mpirun --allow-run-as-root --oversubscribe -n 3 %s -m mpi4py.futures %s" },
}

local function compare()
  for _, peer in ipairs(PEERS) do
    local name, command = peer[1], peer[2]:format(python, here .. "/peers/pool.py")
    local values, came = {}, false
    local program <close> = assert(io.popen(("timeout 100 %s %s 2>/dev/null"):format(command,
      name)))
    for line in program:lines() do
      local row, value = line:match("^(%S+)\t(%S+)$")
      if row then
        values[row] = values[row] or {}
        table.insert(values[row], tonumber(value))
        came = true
      end
    end
    if not came then print(("%-58s not installed, or does not start"):format(name)) end
    for _, row in ipairs(ROWS) do
      if values[row[1]] then measure.report(name .. ": " .. row[2], values[row[1]], row[3]) end
    end
  end
end

local began = clock()
open_and_ready()
do
  local pool <close> = neap.pool { workers = 2 }
  latency(pool)
  latency_after_a_pause(pool)
  throughput(pool)
  balance(pool)
end
idle_use()
os.remove(limit)
if arg[1] ~= "own" then compare() end
print(("%.0f s"):format(clock() - began))
