-- What a lost worker is rebuilt from does not grow with the number of calls.
local clock = require "host.clock"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local neap = require "neap"

-- Works for so many seconds, and counts in a file how often it did.
local function work(object, seconds, now, path)
  local stop = now() + seconds
  object.sum = (object.sum or 0) + math.random()
  while now() < stop do end
  local file <close> = assert(io.open(path, "a"))
  file:write("x")
  return object.sum
end

describe("a worker that is lost after many calls", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local path
  before_each(function() path = command.write "" end)
  after_each(function() os.remove(path) end)

  local function count()
    local file <close> = assert(io.open(path))
    return #file:read "a"
  end

  it("does only the last of them again", function()
    local pool <close> = neap.pool { workers = 1 }
    local cache <close> = pool:keep(function() return {} end)
    local last
    for _ = 1, 40 do last = pool:apply(work, cache, 0.02, clock.now, path)[1] end
    assert.equal(40, count())
    pool:kill(1)
    assert.equal(last, cache:get(1).sum) -- the same random numbers, none twice
    -- Up to 0.1 s of calls are made again rather than copied, and what the next look finds
    -- on top.
    assert.is_true(count() < 40 + 12, count())
  end)

  it("has what its objects shared, in a new process as well", function()
    local pool <close> = neap.pool { workers = 1 }
    local a <close> = pool:push { list = {}, f = function(x) return x + 1 end }
    local b <close> = pool:keep(function(t) return { inner = t.list, f = t.f } end, a)
    for i = 1, 30 do
      pool:apply(function(x, y, now, k)
        local stop = now() + 0.01
        while now() < stop do end
        x.list[#x.list + 1] = y.f(k)
      end, a, b, clock.now, i)
    end
    pool:kill(1)
    local same, n, last = pool:apply_only(function(x, y)
      y.inner[#y.inner + 1] = "more"
      return x.list == y.inner and x.f == y.f, #x.list, x.list[30]
    end, 1, a, b)
    assert.is_true(same)
    assert.equal(31, n)
    assert.equal(31, last)
  end)

  it("is rebuilt by calls when its objects cannot be sent", function()
    local pool <close> = neap.pool { workers = 1 }
    local cache <close> = pool:keep(function() return { file = io.stdout } end)
    for _ = 1, 20 do pool:apply(work, cache, 0.02, clock.now, path) end
    local before = pool:apply(function(c) return c.sum end, cache)[1]
    pool:kill(1)
    assert.equal(before, pool:apply(function(c) return c.sum end, cache)[1])
  end)

  it("has large arrays as the last call left them", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = pool:scatter_array(neap.VectorArray.ones(100000, 4))
    for _ = 1, 20 do
      pool:apply(function(V, now)
        V:scal(1.5)
        local stop = now() + 0.01
        while now() < stop do end
      end, U, clock.now)
    end
    pool:kill(1)
    pool:apply(function(V) V:scal(2) end, U)
    pool:kill(2)
    local expected = neap.VectorArray.ones(100000, 4)
    for _ = 1, 20 do expected:scal(1.5) end
    expected:scal(2)
    assert.is_true(expected:almost_equal(pool:gather_array(U), { rtol = 0, atol = 0 }))
  end)

  it("has what a call brought together with copied objects while the copy was under way", function()
    local pool <close> = neap.pool { workers = 1 }
    local a <close> = pool:push { sum = 0 }
    local b <close> = pool:push { sum = 5 }
    pool:apply(function(x, now)
      local stop = now() + 0.3 -- so that a copy of a is worth its while
      while now() < stop do end
      x.sum = 1
    end, a, clock.now)
    pool:apply(function(x, y) y.sum = y.sum + x.sum end, a, b)
    pool:kill(1)
    assert.same({ 1, 6 }, { pool:apply_only(function(x, y) return x.sum, y.sum end, 1, a, b) })
  end)

  it("has what a call on its way brought together when the copy was asked for", function()
    local pool <close> = neap.pool { workers = 1 }
    local a <close> = pool:push { sum = 0 }
    _G.spec_other = pool:push { sum = 5 }
    local slow = pool:apply_async(function(x, now)
      local stop = now() + 0.3 -- so that a copy of a is worth its while
      while now() < stop do end
      x.sum = 1
    end, a, clock.now)
    pool:apply(function(x, now) -- a copy is asked for meanwhile, and after that the global
      local stop = now() + 0.1
      while now() < stop do end
      spec_other.sum = spec_other.sum + x.sum -- luacheck: ignore
    end, a, clock.now)
    slow:get()
    pool:kill(1)
    assert.same({ 1, 6 }, { a:get(1).sum, spec_other:get(1).sum }) -- luacheck: ignore
    _G.spec_other = nil
  end)

  it("keeps no object that was removed", function()
    local pool <close> = neap.pool { workers = 1 }
    local a = pool:push { 1 }
    local b <close> = pool:keep(function(t) return { t[1] } end, a)
    pool:apply(function(t, u)
      u.weak = setmetatable({ t }, { __mode = "v" })
    end, a, b)
    a:remove()
    pool:apply(function() end)
    pool:kill(1)
    assert.equal(0, pool:apply_only(function(u)
      collectgarbage()
      return #u.weak
    end, 1, b))
  end)
end)
