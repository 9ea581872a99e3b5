-- Small messages take another way than large ones while both sides are awake: their order holds.
local neap = require "neap"

-- Just below, at and above what fits into a mailbox, and what takes several writes.
local SIZES = { 0, 1, 100, 7900, 7950, 8000, 8050, 8064, 8100, 70000, 300000 }

local function pause(seconds)
  local clock = require "host.clock".now
  local till = clock() + seconds
  while clock() < till do end
end

describe("messages of a pool of processes", function()
  it("arrive whole and in order, whatever their sizes and whoever sleeps", function()
    math.randomseed(11)
    local pool <close> = neap.pool { workers = 2 }
    local log <close> = pool:push {}
    local expected, futures = { {}, {} }, {}
    for i = 1, 600 do
      local text = ("x"):rep(SIZES[math.random(#SIZES)])
      local reply = SIZES[math.random(#SIZES)]
      local w = math.random(2)
      table.insert(expected[w], i .. ":" .. #text)
      local seconds = math.random(40) == 1 and 0.0003 or 0
      local got = pool:apply_only(function(list, k, s, n, wait, f)
        list[#list + 1] = k .. ":" .. #s
        f(wait)
        return ("y"):rep(n)
      end, w, log, i, text, reply, seconds, pause)
      assert.equal(reply, #got)
      if math.random(50) == 1 then pause(0.0004) end -- workers fall asleep
      if math.random(20) == 1 then
        futures[#futures + 1] = pool:submit(function(s) return #s end, text)
        futures[#futures].expected = #text
      end
    end
    for _, future in ipairs(futures) do assert.equal(future.expected, future:get()) end
    for w = 1, 2 do assert.same(expected[w], log:get(w)) end
  end)

  it("that nobody waits for are taken up later", function()
    local pool <close> = neap.pool { workers = 2 }
    for _ = 1, 300 do
      local a, b = pool:apply_async(function(x) return x end, "a"), pool:apply_async(function() end)
      pool:push(1):remove()
      assert.equal("a", a:get()[2])
      b:get()
    end
  end)

  it("reach workers that were woken for a call which was refused then", function()
    local pool <close> = neap.pool { workers = 2 }
    local thread = coroutine.create(print)
    for _ = 1, 20 do
      pause(0.0004) -- workers fall asleep
      assert.error_matches(function() pool:apply(print, thread) end, "coroutine", 1, true)
      assert.same({ 5, 5, n = 2 }, pool:apply(function(x) return x end, 5))
      assert.equal(6, pool:apply_only(function(x) return x end, 2, 6))
    end
  end)

  it("let a worker sleep on that was woken for a call which was refused", function()
    local pool <close> = neap.pool { workers = 1 }
    for _ = 1, 3 do
      pool:apply(function() end)
      pause(0.001) -- it falls asleep
      assert.has_error(function() pool:apply(print, coroutine.create(print)) end)
    end
    pause(0.01)
    local before = pool:status()[1].cpu
    pause(0.3)
    assert.is_true(pool:status()[1].cpu - before <= 0.02) -- ticks of 10 ms
  end)

  it("reach a worker that sleeps with memory to give back", function()
    local pool <close> = neap.pool { workers = 1 }
    for i = 1, 20 do
      local n = pool:apply(function()
        local U <close> = require "neap".VectorArray.zeros(200000, 1)
        return U.dim
      end)[1]
      assert.equal(200000, n)
      pause(0.0004) -- it falls asleep
      local text = ("x"):rep(i % 2 == 0 and 10 or 100000)
      assert.equal(#text, pool:apply(function(s) return #s end, text)[1])
      pause(0.0004)
    end
  end)

  it("reach a worker that a signal has stopped in between", function()
    local pool <close> = neap.pool { workers = 1 }
    for _ = 1, 20 do
      pool:apply(function() end)
      pool:kill(1, 19)
      local future = pool:apply_async(function(x) return x end, 5)
      pool:kill(1, 18)
      assert.equal(5, future:get()[1])
    end
  end)
end)
