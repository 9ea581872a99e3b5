local array = require "host.array"
local command = require "spec.support.command"
local VectorArray = require("neap").VectorArray

--- Blocks and bytes that f leaves behind, after collection.
local function growth(f)
  collectgarbage()
  local count, bytes = array.blocks()
  local kept = f()
  collectgarbage()
  local new_count, new_bytes = array.blocks()
  return new_count - count, new_bytes - bytes, kept
end

--- Bytes of this process that are in memory.
local function resident()
  local file <close> = assert(io.open("/proc/self/statm"))
  return file:read("a"):match("^%d+ (%d+)") * 4096
end

describe("block", function()
  it("is counted while an array holds it", function()
    local count, bytes, U = growth(function() return VectorArray.zeros(1000, 3) end)
    assert.equal(1, count)
    assert.equal(24000, bytes)
    assert.equal(3, #U)
  end)

  it("goes with its last array", function()
    local count, bytes = growth(function()
      local U = VectorArray.zeros(1000, 3)
      return U:copy():set(1, 1, 2) and nil
    end)
    assert.equal(0, count)
    assert.equal(0, bytes)
  end)

  it("is shared by copies until one of them writes", function()
    local U = VectorArray.ones(1000, 3)
    local count, _, V = growth(function() return U:copy() end)
    assert.equal(0, count)
    count = growth(function() V:set(1, 1, 5) end)
    assert.equal(1, count)
    assert.equal(1, U:get(1, 1))
    assert.equal(5, V:get(1, 1))
    assert.equal(1, V:get(1000, 3))
  end)

  it("is written in place by its only owner", function()
    local U = VectorArray.ones(1000, 3)
    U:copy():close()
    local count = growth(function() U:scal(2) end)
    assert.equal(0, count)
    assert.equal(2, U:get(1, 1))
  end)

  it("is given back by close, once", function()
    local U = VectorArray.zeros(1000, 3)
    local count, bytes = growth(function()
      U:close()
      U:close()
    end)
    assert.equal(-1, count)
    assert.equal(-24000, bytes)
    assert.equal("VectorArray (closed)", tostring(U))
    assert.error_matches(function() U:norm() end, "VectorArray is closed", 1, true)
  end)

  it("costs nothing for zeros that nobody touches", function()
    local before = resident()
    local U <close> = VectorArray.zeros(2 ^ 18 | 0, 512) -- 1 GiB
    assert.equal(0, U:get(1, 512))
    assert.is_true(resident() - before < 16 * 2 ^ 20)
  end)

  it("keeps a loop of temporaries flat, though the collector does not see its memory", function()
    local U = VectorArray.ones(2 ^ 17 | 0, 8) -- 8 MiB
    local largest = 0
    for _ = 1, 200 do
      local V = U + U
      local _, bytes = array.blocks()
      largest = math.max(largest, bytes)
      assert.equal(2, V:get(1, 1))
    end
    assert.is_true(largest <= 200 * 2 ^ 20)
  end)

  it("is used again while it may still be in a cache", function()
    -- In a process of its own: how soon a temporary goes hangs on the size of the Lua heap, too.
    local script = command.write [[
      local array = require "host.array"
      local U <close> = require("neap").VectorArray.ones(2 ^ 17 | 0, 8) -- 8 MiB
      collectgarbage()
      local _, before = array.blocks()
      local largest = 0
      for _ = 1, 50 do
        local V = U + U
        local _, bytes = array.blocks()
        largest = math.max(largest, bytes - before)
        assert(V:get(1, 1) == 2)
      end
      print(largest)]]
    local outcome = command.run("%neap% " .. script)
    os.remove(script)
    assert.equal("", outcome.err)
    -- The last temporary, which the loop still holds, the new one, and one for chance.
    assert.is_true(tonumber(outcome.out) <= 3 * 8 * 2 ^ 20)
  end)

  it("is zero where zeros are asked for, though it was used before", function()
    for _, n in ipairs { 1, 60, 100, 1000, 30000 } do
      for _ = 1, 20 do VectorArray.full(7, n, 1):close() end
      local U <close> = VectorArray.zeros(n, 1)
      assert.equal(0, U:norm()[1])
    end
  end)

  it("is given back to the system by a full cycle, small or large", function()
    for n = 1, 300 do VectorArray.ones(17 * n, 1):close() end
    collectgarbage()
    assert.equal(0, array.idle_bytes())
  end)

  it("leaves a collector alone that the script has stopped", function()
    collectgarbage()
    local count = array.blocks()
    collectgarbage("stop")
    for _ = 1, 10 do assert.is_truthy(VectorArray.zeros(2 ^ 20, 8)) end -- 640 MiB
    local now = array.blocks()
    collectgarbage("restart")
    assert.equal(10, now - count)
  end)
end)
