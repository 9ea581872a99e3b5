-- The pool: opening, latency, throughput, balance. Run: neap spec/bench/pool.lua
local neap = require "neap"
local measure = require "spec.bench.measure"

local function scaled(list, factor)
  local copy = {}
  for i, x in ipairs(list) do copy[i] = x * factor end
  return copy
end

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

local function latency(pool)
  local noop = function() end
  for _ = 1, 50 do pool:apply(noop) end
  local times = {}
  for i = 1, 3000 do times[i] = measure.seconds(function() pool:apply_only(noop, 1) end) end
  measure.report("apply_only, back to back", scaled(times, 1e6), "us", "< 10")
  for i = 1, 3000 do times[i] = measure.seconds(function() pool:apply(noop) end) end
  measure.report("apply on both, back to back", scaled(times, 1e6), "us", "< 12")
  local paused = {}
  local sleep = function() os.execute("sleep 0.02") end
  for i = 1, 40 do
    sleep()
    paused[i] = measure.seconds(function() pool:apply(noop) end)
  end
  measure.report("apply on both, workers asleep", scaled(paused, 1e6), "us")
end

local function throughput(pool)
  local items = {}
  for i = 1, 1000000 do items[i] = i end
  local f = function(x) return x + 1 end
  local rates = {}
  for i, t in ipairs(measure.times(7, function() pool:map(f, items) end)) do
    rates[i] = 1e-6 / t * #items
  end
  measure.report("map x + 1 over 1,000,000 integers", rates, "M/s", "> 20")
end

local function busy(ms)
  local clock = require "host.clock".now
  local till = clock() + ms * 1e-3
  while clock() < till do end
  return ms
end

local function balance(pool)
  local orders = { ["longest first"] = {}, ["shortest first"] = {}, random = {} }
  for i = 1, 64 do
    orders["longest first"][i], orders["shortest first"][i] = 65 - i, i
    orders.random[i] = i
  end
  math.randomseed(7)
  for i = 64, 2, -1 do
    local j = math.random(i)
    orders.random[i], orders.random[j] = orders.random[j], orders.random[i]
  end
  for name, items in pairs(orders) do
    local ratios = {}
    for i, t in ipairs(measure.times(3, function() pool:map(busy, items) end)) do
      ratios[i] = t / 1.040
    end
    measure.report("64 items of 1 to 64 ms, " .. name, ratios, "x ideal",
      name == "longest first" and "< 1.004" or "< 1.035")
  end
end

open_and_ready()
local pool <close> = neap.pool { workers = 2 }
latency(pool)
throughput(pool)
balance(pool)
