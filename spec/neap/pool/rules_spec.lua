-- Rules of the pool that concern several calls or none alone, on every kind of pool.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"
local command = require "spec.support.command"
local message_of, plain = calls.message_of, calls.plain

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    local n = kind.workers
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("has the worker's own object wherever a map or a Future has its handle", function()
      local remote <close> = pool:push { value = 5 }
      local function value(x) return x.value end
      assert.same({ 5, 5, 5 }, plain(pool:map(value, { remote, remote, remote })))
      assert.same({ 5, 5 }, plain(pool:map(function(x) return x.deep[1].value end,
        { { deep = { remote } }, { deep = { remote } } })))
      assert.same({ 5 }, plain(pool:map(function(_, kw) return kw.deep.r.value end, { 1 },
        neap.kw { deep = { r = remote } })))
      local function inner() return remote.value end
      assert.equal(5, pool:map(function() return inner() end, { 1 })[1])
      assert.equal(5, pool:submit(value, remote):get())
      assert.equal(5, pool:apply_async(function() return inner() end):get()[n])
      assert.equal(5, pool:keep(value, remote):get(1))
      local holder <close> = pool:push { remote }
      pool:apply(function(h) h[1].value = 6 end, holder)
      assert.equal(6, remote:get(n).value)
    end)

    it("refuses a removed handle wherever it stands, and does nothing", function()
      local gone, ran = pool:push { 1 }, pool:push { count = 0 }
      gone:remove()
      local function count(t) t.count = t.count + 1 end
      local function touch() return gone end
      local kw = neap.kw { ran = ran, list = { gone } }
      for where, f in pairs {
        ["argument 2: field .deep[1]"] = function()
          pool:apply(count, ran, { deep = { gone } })
        end,
        ["upvalue 'gone'"] = function()
          pool:apply(function() count(ran) return touch() end)
        end,
        ["field .list[1]"] = function()
          pool:map(function(_, k) count(k.ran) end, { 1, 2 }, kw)
        end,
        ["item 3"] = function()
          pool:map(function(_, k) count(k.ran) end, { 1, 2, gone }, neap.kw { ran = ran })
        end,
        ["argument 1"] = function() return pool:submit(count, gone) end,
      } do
        local message = message_of(f)
        assert.matches(where, message, 1, true)
        assert.matches("RemoteObject that was removed at .*rules_spec.lua:%d+", message)
      end
      for w = 1, n do assert.equal(0, ran:get(w).count) end
      ran:remove()
    end)

    it("draws other random numbers on each worker in each call, the same in each run", function()
      local function draw() return math.random(1 << 30) end
      local function run(seed)
        local one <close> = kind.open { seed = seed }
        local list = plain(one:apply(draw))
        table.move(plain(one:apply(draw)), 1, n, #list + 1, list)
        list[#list + 1] = one:apply_only(draw, 1)
        list[#list + 1] = one:submit(draw):get()
        table.move(one:keep(draw):get(), 1, n, #list + 1, list)
        return list
      end
      local first, seen = run(7), {}
      for _, x in ipairs(first) do
        assert.is_nil(seen[x])
        seen[x] = true
      end
      assert.same(first, run(7))
      assert.are_not.same(first, run(8))
      local state = math.random(0) -- the driver's own numbers are its own
      math.randomseed(3)
      local expected = math.random()
      math.randomseed(3)
      pool:apply(function() math.randomseed(1) return math.random() end)
      assert.equal(expected, math.random())
      math.randomseed(state)
    end)

    it("gives the longest of uneven results as many lists", function()
      local function values(i) return table.unpack({ 1, 2, 3 }, 1, i) end
      local a, b, c, d = pool:map(values, { 1, 0, 3, 2 })
      assert.same({ 4, 4, 4 }, { a.n, b.n, c.n })
      assert.is_nil(d)
      assert.same({ 1, nil, 1, 1 }, { table.unpack(a, 1, 4) })
      assert.same({ nil, nil, 3, nil }, { table.unpack(c, 1, 4) })
      local none = pool:map(function() end, { 1, 2 })
      assert.same({ n = 2 }, none)
      assert.same({ n = 0 }, pool:map(values, {}))
    end)

    it("joins the tracebacks of worker and caller, without frames of its own", function()
      local function deep(x) error("no luck " .. x) end
      local function caller() pool:map(function(i) deep(i) end, { 1 }) end
      local ok, e = pcall(caller)
      assert.is_false(ok)
      local text = tostring(e)
      assert.matches("^[^\n]*rules_spec.lua:%d+: no luck 1\non worker 1, item 1 = 1\n", text)
      local worker, driver = text:match("stack traceback:(.*)called from(.*)")
      assert.matches("in upvalue 'deep'", worker, 1, true)
      assert.matches("rules_spec.lua:%d+: in ", driver)
      assert.is_nil(text:find("lua/neap/pool", 1, true))
      local future = pool:submit(deep, 2)
      local function get() return (future:get()) end
      ok, e = pcall(get)
      assert.is_false(ok)
      local line = debug.getinfo(get, "S").linedefined
      assert.matches("^stack traceback:\n\t[^\n]*rules_spec.lua:" .. line .. ": in ", e.caller)
      assert.is_nil(e.caller:find("lua/neap/pool", 1, true))
    end)

    it("collects handles while its workers are busy, and waits for none of them", function()
      if kind.is_inline then return end -- it does nothing behind the driver's back
      local path = os.tmpname()
      collectgarbage()
      collectgarbage()
      local before = pool:status()[1].objects
      for i = 1, 100 do pool:push(i) end -- luacheck: ignore
      local busy = pool:apply_async(function(p)
        repeat
          local file = io.open(p)
          if file then file:close() end
        until not file
      end, path)
      collectgarbage()
      collectgarbage()
      assert.is_false(busy:done())
      assert.equal(before, pool:status()[1].objects)
      os.remove(path)
      busy:get()
    end)

    it("is good after any error", function()
      local remote <close> = pool:push { 1 }
      for _, f in ipairs {
        function() pool:apply(error) end,
        function() pool:map(error, { "x", "y" }) end,
        function() pool:apply(print, io.stdout) end,
        function() pool:apply(function() return coroutine.create(print) end) end,
        function() pool:map(function() return io.stdout end, { 1, 2, 3 }) end,
        function() return pool:push(io.stdout) end,
        function() return pool:scatter_list { 1, io.stdout } end,
        function() return pool:keep(error, "x") end,
        function() pool:reduce(function(i) return i end, { 1, 2 }, error) end,
        function() pool:submit(error, "x"):get() end,
        function() pool:map(function(i) return i end, 5) end,
        function() pool:apply(function() error(setmetatable({}, { __tostring = error })) end) end,
        function() pool:apply(function() return ("x"):rep(1 << 40) end) end,
      } do
        assert.is_false((pcall(f)))
        local list = pool:apply(function(t) return t[1] end, remote)
        for w = 1, n do assert.equal(1, list[w]) end
      end
    end)
  end)
end

describe("a script that opens a pool", function()
  it("runs once, wherever its pool is opened", function()
    local folder, remove = command.folder()
    local path = folder .. "/driver.lua"
    command.write(([[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 3 }
      local file <close> = assert(io.open("%s/runs", "a"))
      file:write("run\n")
      helper = function(x) return 2 * x end
      print(table.concat(pool:map(function(i) return helper(i) end, { 1, 2, 3 }), " "))
    ]]):format(folder), path)
    local outcome = command.run("%neap% " .. path)
    local file <close> = assert(io.open(folder .. "/runs"))
    local runs = file:read "a"
    remove()
    assert.equal("2 4 6\n", outcome.out)
    assert.equal("", outcome.err)
    assert.equal("run\n", runs)
  end)
end)
