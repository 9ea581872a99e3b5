--- Drivers whose workers are killed all the time: a greedy, one that scatters arrays, changes them
--- and maps over them, and one whose arrays are all memory that processes share. Every run must end
--- with the bits of a quiet run; driver and live workers must hold as many descriptors, memfds and
--- mappings of them as before, and nothing may be left behind; prints what each lost process has
--- cost.
--
--     build/neap spec/bench/storm.lua [kills of each driver, 250] [seed]
local leaks = require "spec.support.leaks"
local neap = require "neap"
local storm = require "spec.support.storm"

local kills = math.tointeger(tonumber(arg[1] or 250))
local seed = math.tointeger(tonumber(arg[2] or os.time()))
print(("seed %d"):format(seed))

neap.pool { workers = 1 }:close() -- the event loop of this process stays
local before, good = leaks.snapshot(), true
for _, name in ipairs { "greedy", "arrays", "memory" } do
  local report = storm.weather(storm.jobs[name], { kills = kills, seed = seed, quiet_runs = 10 })
  print(("%-8s %5d runs, %d with other bits, %d that left something; %d workers lost (%s)")
    :format(name, report.runs, report.differing, report.leaking, report.deaths, report.kills))
  print(("%-8s a quiet run takes %.3f s; each lost worker cost %.1f ms"):format("",
    report.quiet, 1e3 * report.per_death))
  print(('{"bench": "storm %s", "deaths": %d, "differing": %d, "leaking": %d, '
    .. '"seconds_per_death": %.6g}'):format(name, report.deaths, report.differing,
    report.leaking, report.per_death))
  good = good and report.differing == 0 and report.leaking == 0
end
local left = leaks.since(before)
for _, line in ipairs(left) do print("left behind: " .. line) end
os.exit(good and #left == 0, true)
