-- Calls that are broken off, and what they leave behind: nothing waits for them or repeats them.
local neap = require "neap"
local calls = require "spec.support.calls"

describe("a call that is broken off", function()
  local pool, object
  before_each(function()
    pool = neap.pool { workers = 2 }
    object = pool:push { 0 }
  end)
  after_each(function() pool:close() end)

  local function kind_of(f, ...)
    local ok, e = pcall(f, ...)
    assert.is_false(ok)
    return e.kind
  end

  it("leaves its objects as they were then, on a new process as well", function()
    calls.in_time(0.1, function(seconds) -- both have begun
      pool:apply(function(t) t[1] = 0 end, object)
      assert.equal("timeout", kind_of(function()
        pool:with { timeout = seconds }:apply(function(t)
          t[1] = t[1] + 1
          while true do end
        end, object)
      end))
      assert.same({ { 1 }, { 1 }, n = 2 }, object:get())
    end)
    pool:apply(function(t) t[1] = t[1] + 1 end, object)
    for w = 1, 2 do pool:kill(w) end
    assert.same({ { 2 }, { 2 }, n = 2 }, object:get())
  end)

  it("leaves its objects as they were before, where its worker had to be killed", function()
    assert.equal("timeout", kind_of(function()
      pool:with { timeout = 0.2 }:apply(function(t)
        t[1] = t[1] + 1
        string.rep("a", 40):find(("a*"):rep(40) .. "b")
      end, object)
    end))
    assert.same({ { 0 }, { 0 }, n = 2 }, object:get())
  end)

  it("is not done again where it has killed its workers", function()
    assert.equal("died", kind_of(pool.apply, pool, function(t)
      t[1] = t[1] + 1
      os.exit(3)
    end, object))
    assert.same({ { 0 }, { 0 }, n = 2 }, object:get())
    assert.is_true(pool:status()[1].restarts <= 2)
  end)

  it("is over at once where it waits behind another, and is never done", function()
    local path = os.tmpname()
    local other = pool:apply_async(function(name)
      while io.open(name) do end
      return "well"
    end, path)
    local waits = pool:apply_async(function(t) t[1] = 5 end, object)
    waits:cancel()
    assert.is_false(other:done())
    os.remove(path)
    assert.equal("interrupted", kind_of(waits.get, waits))
    assert.same({ "well", "well", n = 2 }, other:get())
    for _, s in ipairs(pool:status()) do assert.equal(0, s.restarts) end
    assert.same({ { 0 }, { 0 }, n = 2 }, object:get())
    for w = 1, 2 do pool:kill(w) end
    assert.same({ { 0 }, { 0 }, n = 2 }, object:get())
  end)

  it("is over at once where it waits behind one that never ends, which can be ended", function()
    local endless = pool:apply_async(function() while true do end end)
    local waits = pool:map_async(function(i) return i end, neap.range(1, 100))
    waits:cancel()
    assert.equal("interrupted", kind_of(waits.get, waits))
    endless:cancel()
    assert.equal(1, pool:apply(function() return 1 end)[1])
  end)

  it("takes no other one with it, at whatever moment it ends", function()
    for i = 1, 200 do
      local stopped = pool:apply_async(function(n) for _ = 1, n do end end, i * 200)
      local other = pool:apply_async(function(n)
        local sum = 0
        for k = 1, 20000 do sum = sum + k % n end
        return n
      end, i)
      stopped:cancel()
      assert.same({ i, i, n = 2 }, other:get())
    end
    for _, s in ipairs(pool:status()) do assert.equal(0, s.restarts) end
  end)

  it("does not begin where it was stopped before it came to the worker", function()
    pool:kill(1, 19)
    local future = pool:apply_async(function(t) t[1] = 7 end, object)
    local _, e = pcall(function() pool:with { timeout = 0.05 }:apply(function() end) end)
    assert.equal("timeout", e.kind)
    future:cancel()
    assert.equal(0, object:get(1)[1])
  end)
end)

describe("an item that is interrupted", function()
  it("takes no item of its neighbours with it", function()
    local pool <close> = neap.pool { workers = 2 }
    for round = 1, 20 do
      local view = pool:with { item_timeout = 0.02, on_error = "collect" }
      local results = view:map(function(i)
        local stop = require "host.clock".now() + (i % 7 == 0 and 0.0205 or 0)
        while require "host.clock".now() < stop do end
        return i
      end, neap.range(1, 28))
      for i = 1, 28 do -- those of 20.5 ms end on either side of the limit
        if results[i] ~= i then
          assert.equal("timeout", results[i].kind, ("round %d, item %d"):format(round, i))
        end
      end
    end
  end)
end)
