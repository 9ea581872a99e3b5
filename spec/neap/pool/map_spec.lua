-- map, on every kind of pool.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"
local message_of, plain = calls.message_of, calls.plain

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    local n = kind.workers

    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    describe("map", function()
      local square = function(x) return x * x end

      it("gives the results in the items' order", function()
        for _, count in ipairs { 0, 1, n - 1, n, n + 1, 100 } do
          local items, expected = {}, {}
          for i = 1, count do items[i], expected[i] = i, i * i end
          local results = pool:map(square, items)
          assert.equal(count, results.n)
          assert.same(expected, plain(results))
        end
      end)

      it("keeps nothing of results that are dropped", function()
        local range = neap.range(1, 100000)
        pool:map(square, range)
        collectgarbage()
        collectgarbage()
        local before = collectgarbage("count")
        pool:map(square, range)
        collectgarbage() -- one cycle: nothing with a finalizer holds them
        assert.is_true(collectgarbage("count") - before < 200) -- KiB; the list takes 1,600
      end)

      it("gives long lists back as they were sent, of integers and of floats", function()
        for _, first in ipairs { 1, 0.5 } do
          local items, expected = {}, {}
          for i = 1, 40000 do items[i], expected[i] = first + i, (first + i) * (first + i) end
          assert.same(expected, plain(pool:map(square, items)))
          items[39999] = "7"
          expected[39999] = 49
          assert.same(expected, plain(pool:map(square, items)))
        end
      end)

      it("runs over ranges that can be read as lists", function()
        local r, list = neap.range(3, 9, 2), {}
        for i, x in ipairs(r) do list[i] = x end
        assert.same({ 3, 5, 7, 9 }, list)
        assert.same({ 3, 5, 7, 9 }, { table.unpack(r) })
        assert.same({ 4, 3, 9 }, { #r, r[1], r[4] })
        assert.is_nil(r[0])
        assert.is_nil(r[5])
        assert.is_nil(r[1.5])
        assert.is_nil(neap.range(1, 0)[1])
        assert.equal(0.5, neap.range(0, 1, 0.25)[3])
        assert.equal(5, pool:apply(function(x) return x[2] end, r)[1])
      end)

      it("keeps results of any kind over ranges and lists of numbers", function()
        local function any(x)
          if x == 7 then return "seven" end
          if x % 5 == 0 then return x / 2 end
          if x == 203 then return end
          return x * 2
        end
        local integers, floats = neap.range(-300, 300, 3), neap.range(0.5, 60.5)
        local halves, list = function(x) return x / 2 end, {}
        for i, x in ipairs(integers) do list[i] = x end
        for _, seq in ipairs { integers, list, floats, neap.range(math.maxinteger - 70,
          math.maxinteger) } do
          for _, f in ipairs { any, halves } do
            local results = pool:map(f, seq)
            assert.equal(#seq, results.n)
            for i, x in ipairs(seq) do
              assert.equal(f(x), results[i])
              assert.equal(math.type((f(x))), math.type(results[i]))
            end
          end
        end
      end)

      it("runs over ranges, integers staying integers", function()
        local results = pool:map(function(x) return x end, neap.range(3, 9, 2))
        assert.same({ 3, 5, 7, 9 }, plain(results))
        assert.equal("integer", math.type(results[1]))
        assert.same({ 1.0, 0.5, 0.0 }, plain(pool:map(function(x) return x end,
          neap.range(1, 0, -0.5))))
        assert.equal(0, pool:map(square, neap.range(1, 0)).n)
      end)

      it("runs over VectorArrays, an item being one vector", function()
        local U = neap.VectorArray.from_function(3, 7, function(i, j) return 10 * j + i end)
        local results = pool:map(function(u) return #u, u:get(2, 1) end, U)
        assert.same({ 1, 1, 1, 1, 1, 1, 1 }, plain(results))
        local _, second = pool:map(function(u) return #u, u:get(2, 1) end, U)
        assert.same({ 12.0, 22.0, 32.0, 42.0, 52.0, 62.0, 72.0 }, plain(second))
      end)

      it("takes several sequences and keyword arguments", function()
        local results = pool:map(function(a, b, kw) return a * b + kw.c end,
          { 1, 2, 3 }, neap.range(4, 6), neap.kw { c = 100 })
        assert.same({ 104, 110, 118 }, plain(results))
      end)

      it("keeps nil results and lists of several values", function()
        local a, b = pool:map(function(i)
          if i % 2 == 0 then return nil, i end
          return i
        end, neap.range(1, 5))
        assert.equal(5, a.n)
        assert.equal(5, b.n)
        assert.same({ 1, nil, 3, nil, 5 }, { table.unpack(a, 1, 5) })
        assert.same({ nil, 2, nil, 4, nil }, { table.unpack(b, 1, 5) })
      end)

      it("names the item that fails", function()
        local ok, e = pcall(pool.map, pool, function(i)
          if i == 7 then error "seven" end
          return i
        end, neap.range(1, 20))
        assert.is_false(ok)
        assert.equal(7, e.item)
        assert.matches("seven$", e.message)
        assert.matches("item 7 = 7\n", tostring(e), 1, true)
        assert.equal(3, pool:map(square, { 1, 2, 3 }).n)
      end)

      it("shows what the item is that fails", function()
        local mus = { { diffusion = { 0.1, 1 } }, { diffusion = { 0.5 } }, { diffusion = { 1 } } }
        local function fail(mu, i, u)
          if i == 20 then error("no luck", 0) end
          return u.dim + #mu.diffusion
        end
        local U = neap.VectorArray.zeros(4, 3)
        for _, view in ipairs { pool, pool:with { cost = function(_, i) return i % 7 end } } do
          local ok, e = pcall(view.map, view, fail, mus, neap.range(10, 30, 10), U)
          assert.is_false(ok)
          assert.same({ diffusion = { 0.5 } }, e.arguments[1])
          assert.equal(20, e.arguments[2])
          assert.matches("item 2 = {diffusion = {0.5}}, 20, VectorArray", tostring(e), 1, true)
        end
        local list = pool:with { on_error = "collect" }:map(function(i) error(i, 0) end, { 5, 6 })
        assert.same({ 5 }, list[1].arguments)
        assert.same({ 6 }, list[2].arguments)
      end)

      it("collects errors on request", function()
        local results = pool:with { on_error = "collect" }:map(function(i)
          if i % 3 == 0 then error("three", 0) end
          return i
        end, neap.range(1, 10))
        assert.equal(10, results.n)
        for i = 1, 10 do
          if i % 3 == 0 then
            assert.equal("three", results[i].message)
            assert.equal(i, results[i].item)
          else
            assert.equal(i, results[i])
          end
        end
        local handled = pool:with { on_error = function(e) return -e.item end }:map(function(i)
          if i == 2 then error "two" end
          return i
        end, { 1, 2, 3 })
        assert.same({ 1, -2, 3 }, plain(handled))
      end)

      it("cuts statically or in chunks on request", function()
        for _, options in ipairs { { schedule = "static" }, { chunk = 1 }, { chunk = 1000 } } do
          local results = pool:with(options):map(square, neap.range(1, 50))
          for i = 1, 50 do assert.equal(i * i, results[i]) end
        end
      end)

      it("refuses sequences of different lengths, and what is no sequence", function()
        assert.equal("sequence 2: length 2 expected as of sequence 1, got 1",
          message_of(pool.map, pool, square, { 1, 2 }, { 1 }))
        assert.equal("sequence 1: list, VectorArray or neap.range expected, got number",
          message_of(pool.map, pool, square, 5))
        assert.equal("sequence 1: list, VectorArray or neap.range expected",
          message_of(pool.map, pool, square))
      end)

      it("draws random numbers that depend on seed, call and item only", function()
        local draw = function() return math.random(), math.random(1000) end
        local one <close> = kind.open { seed = 5 }
        local other <close> = neap.pool { workers = 2, seed = 5 }
        local a, b = one:map(draw, neap.range(1, 9))
        local c, d = other:with { chunk = 2 }:map(draw, neap.range(1, 9))
        assert.same(plain(a), plain(c))
        assert.same(plain(b), plain(d))
        assert.is_true(a[1] ~= a[2])
        local again = one:map(draw, neap.range(1, 9))
        assert.is_true(again[1] ~= a[1])
      end)
    end)

    describe("options", function()
      local square = function(x) return x * x end

      it("cost sends the most costly items first, results stay in order", function()
        local order = {}
        local asked = pool:with { cost = function(a, b) return a * b end, chunk = 1 }
        local results, second = asked:map(function(a, b) return a + b, a end,
          { 3, 1, 2 }, neap.range(1, 3))
        assert.same({ 4, 3, 5 }, plain(results))
        assert.same({ 3, 1, 2 }, plain(second))
        pool:with { cost = function(i) order[#order + 1] = i; return i end }:map(square,
          neap.range(1, 4))
        assert.same({ 1, 2, 3, 4 }, order)
        assert.matches("option 'cost': a number expected for item 1, got nil",
          message_of(function() pool:with { cost = function() end }:map(square, { 1 }) end))
      end)

      it("cost changes neither random numbers nor the numbers of failed items", function()
        local one <close> = kind.open { seed = 3 }
        local two <close> = kind.open { seed = 3 }
        local draw = function() return math.random() end
        local a = one:map(draw, neap.range(1, 7))
        local b = two:with { cost = function(i) return i end }:map(draw, neap.range(1, 7))
        assert.same(plain(a), plain(b))
        local ok, e = pcall(function()
          pool:with { cost = function(i) return -i end }:map(function(i)
            if i == 5 then error "five" end
          end, neap.range(1, 7))
        end)
        assert.is_false(ok)
        assert.equal(5, e.item)
      end)

      it("cost takes VectorArrays", function()
        local U = neap.VectorArray.from_table { { 1 }, { 3 }, { 2 } }
        local results = pool:with { cost = function(u) return u:get(1, 1) end }:map(
          function(u) return u:get(1, 1) end, U)
        assert.same({ 1.0, 3.0, 2.0 }, plain(results))
      end)

      it("on_progress is told how far the call is", function()
        local told = {}
        pool:with { on_progress = function(p) told[#told + 1] = p end }:map(square,
          neap.range(1, 100))
        local last = told[#told]
        assert.equal(100, last.done)
        assert.equal(100, last.total)
        assert.equal(0.0, last.left)
        pool:with { on_progress = function(p) last = p end }:apply(function() end)
        assert.equal(n, last.done)
        assert.equal(n, last.total)
      end)

      it("on_progress ends the call when it fails", function()
        assert.matches("no more", message_of(function()
          pool:with { on_progress = function() error "no more" end }:map(square, { 1, 2 })
        end))
        assert.equal(1, pool:apply(function() return 1 end)[1])
      end)

      it("are refused when they are wrong", function()
        for option, message in pairs {
          retries = "an integer of at least 0, or math.huge expected, got -1",
          timeout = "positive number of seconds expected, got -1",
          item_timeout = "positive number of seconds expected, got -1",
          stopped_grace = "positive number of seconds expected, got -1",
          chunk = "positive integer expected, got -1",
          cost = "function expected, got -1",
          on_progress = "function expected, got -1",
          progress = "boolean or title expected, got -1",
          schedule = '"dynamic" or "static" expected, got -1',
          on_error = '"stop", "collect" or a function expected, got -1',
        } do
          assert.equal(("option '%s': %s"):format(option, message),
            message_of(pool.with, pool, { [option] = -1 }))
        end
      end)

      it("of a view hold for that view only, and for views of it", function()
        local view = pool:with { on_error = "collect" }
        local inner = view:with { chunk = 1 }
        local f = function() error "no" end
        assert.equal("error", inner:map(f, { 1 })[1].kind)
        assert.equal("error", view:map(f, { 1 })[1].kind)
        assert.is_false((pcall(pool.map, pool, f, { 1 })))
      end)
    end)

    it("keeps what had finished in the error", function()
      local path = os.tmpname()
      local ok, e = pcall(pool.map, pool:with { chunk = 1 }, function(i, kw)
        local file <close> = assert(io.open(kw.path, "a+"))
        if i < 30 then
          file:write "."
          return i
        end
        repeat until file:seek "end" == 29 -- the last item goes out last: the others get done
        error "thirty"
      end, neap.range(1, 30), neap.kw { path = path })
      os.remove(path)
      assert.is_false(ok)
      assert.equal("thirty", e.message:match "thirty$")
      for i = 1, 29 do
        local result = e.results[1][i] -- the answers of others may be on their way
        assert.is_true(result == i or result == nil and i > 30 - 2 * n)
      end
      assert.is_nil(e.results[1][30])
    end)

    it("lists in the error which items failed, and which have brought nothing yet", function()
      local good, e = pcall(pool.map, pool:with { schedule = "static" }, function(i)
        if i % 3 == 0 then error("by three", 0) end
        return i
      end, neap.range(1, 7))
      assert.is_false(good)
      assert.equal(e.item, e.failed[1]) -- 3 or 6, or both: whichever was first ends the call
      local seen = {}
      for _, i in ipairs(e.failed) do
        assert.equal(0, i % 3)
        seen[i] = true
      end
      for _, i in ipairs(e.pending) do
        assert.is_nil(seen[i])
        assert.is_nil(e.results[1][i])
        seen[i] = true
      end
      for i = 1, 7 do assert.is_true(seen[i] or e.results[1][i] == i) end
      assert.equal(e.pending, e.pending)
      good, e = pcall(pool.apply, pool, error, "no")
      assert.is_false(good)
      assert.is_nil(e.failed)
      assert.is_nil(e.pending)
    end)

    it("lists all items of a map that is stopped before any is done as pending", function()
      local future = pool:map_async(function() while true do end end, { 1, 2, 3 })
      future:cancel()
      local good, e = pcall(future.get, future)
      assert.is_false(good)
      assert.same({}, e.failed)
      assert.same({ 1, 2, 3 }, e.pending)
    end)

    it("hands out no more items after an error", function()
      local remote <close> = pool:push { count = 0 }
      pcall(pool.map, pool:with { chunk = 1 }, function(i, kw)
        kw.r.count = kw.r.count + 1
        if i == 2 then error "two" end
      end, neap.range(1, 10000), neap.kw { r = remote })
      local sum = 0
      for _, r in ipairs(remote:get()) do sum = sum + r.count end
      assert.is_true(sum < 1000)
    end)

    it("leaves no item waiting behind a long one while a worker has nothing to do", function()
      if n < 2 then return end
      local path = os.tmpname()
      local results = pool:with { chunk = 1 }:map(function(i, kw)
        local function marks()
          local file <close> = assert(io.open(kw.path))
          return #file:read("a")
        end
        if i == 1 then
          repeat until marks() == 9 -- all the others have been done
        else
          local file <close> = assert(io.open(kw.path, "a"))
          file:write("x")
        end
        return i
      end, neap.range(1, 10), neap.kw { path = path })
      os.remove(path)
      for i = 1, 10 do assert.equal(i, results[i]) end
    end)

    it("counts floats alike wherever they are cut", function()
      local expected = {}
      for i = 1, 11 do expected[i] = 0.0 + (i - 1) * 0.1 end
      for _, options in ipairs { {}, { chunk = 1 }, { chunk = 4 }, { schedule = "static" },
        { cost = function(x) return x end } } do
        assert.same(expected, plain(pool:with(options):map(function(x) return x end,
          neap.range(0.0, 1, 0.1))))
      end
    end)

    it("counts ranges as far as integers go, and refuses longer ones", function()
      local low, high = math.mininteger, math.maxinteger
      for count, ends in pairs {
        [high] = { 1, high }, [1] = { high, 0, low }, [2] = { 0, low, low },
        [3] = { low, high, high }, [high // 3 * 2 + 2] = { low, high, 3 }, [0] = { low, 0, low },
      } do
        assert.equal(count, #neap.range(table.unpack(ends)))
      end
      assert.same({ low, -1, high - 1 }, plain(pool:map(function(i) return i end,
        neap.range(low, high, high))))
      for _, ends in ipairs { { 0, high }, { low, -1 }, { 0, low, -1 }, { low, high },
        { low, high, 2 }, { -1e308, 1e308 } } do
        assert.error_matches(function() return neap.range(table.unpack(ends)) end,
          "range: fewer items expected", 1, true)
      end
    end)

    it("keeps numbers what they are, and mixes them with others", function()
      local items = { 1, 2.0, math.mininteger, -0.0, 1 / 0, "s", false, { 1 } }
      local results = pool:map(function(x) return x end, items)
      assert.same(items, plain(results))
      for i, x in ipairs(items) do assert.equal(math.type(x), math.type(results[i])) end
      assert.equal("-inf", tostring(1 / results[4]))
      local mixed = pool:map(function(i) return i == 900 and "x" or i / 2 end, neap.range(1, 1000))
      assert.equal(0.5, mixed[1])
      assert.equal("x", mixed[900])
      assert.equal(500.0, mixed[1000])
    end)

    it("draws other random numbers for each item in pools that items open", function()
      local function draw()
        local inner <close> = require("neap").pool()
        return inner:apply(math.random)[1]
      end
      local one <close> = kind.open { seed = 8 }
      local other <close> = neap.pool { workers = 0, seed = 8 }
      local a = one:map(draw, neap.range(1, 4))
      assert.same(plain(a), plain(other:map(draw, neap.range(1, 4))))
      table.sort(a)
      for i = 2, 4 do assert.is_true(a[i - 1] < a[i]) end
    end)

    it("draws the same random arrays whatever the number of workers", function()
      local draw = function() return neap.VectorArray.random(3, 1):to_table()[1] end
      local one <close> = kind.open { seed = 8 }
      local other <close> = neap.pool { workers = 0, seed = 8 }
      assert.same(plain(one:map(draw, neap.range(1, 6))), plain(other:map(draw, neap.range(1, 6))))
      local a, b = one:submit(draw), one:submit(draw)
      local c, d = other:submit(draw), other:submit(draw)
      assert.same({ a:get(), b:get() }, { c:get(), d:get() })
    end)
  end)
end
