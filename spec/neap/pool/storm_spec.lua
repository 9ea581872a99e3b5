-- Workers are killed again and again while a driver runs; spec/bench/storm.lua is the long form.
local leaks = require "spec.support.leaks"
local neap = require "neap"
local storm = require "spec.support.storm"

describe("a driver in a storm that kills its workers", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  for _, name in ipairs { "greedy", "arrays" } do
    it("ends with the bits of a quiet run: " .. name, function()
      local report = storm.weather(storm.jobs[name],
        { kills = 12, least = 0.01, most = 0.1, seed = 3, workers = 3 })
      assert.equal(0, report.differing)
      assert.is_true(report.deaths >= 12)
    end)
  end
end)
