-- What cannot be sent is refused before anything is: also where it stands late in a sequence.
local neap = require "neap"
local pools = require "spec.support.pools"
local message_of = require "spec.support.calls".message_of

local Class = { __name = "late.Class" }
Class.__index = Class
function Class.f() end

local function nested(depth, x)
  for _ = 1, depth do x = { x } end
  return x
end

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool, calls
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)
    before_each(function() calls = pool:push { count = 0 } end)
    after_each(function() calls:remove() end)

    local function f(_, kw) kw.calls.count = kw.calls.count + 1 end

    local function count()
      local sum = 0
      for _, c in ipairs(calls:get()) do sum = sum + c.count end
      return sum
    end

    -- The message that a map over n items gives where the last one is x, and the others are made by
    -- make.
    local function refusal(n, make, x)
      local list = {}
      for i = 1, n - 1 do list[i] = make(i) end
      list[n] = x
      local message = message_of(pool.map, pool, f, list, neap.kw { calls = calls })
      assert.equal(0, count())
      return message
    end

    it("runs no item of a map when a later one cannot be sent", function()
      local function number(i) return i end
      local function object(i) return setmetatable({ i }, Class) end
      local thread = coroutine.create(print)
      assert.equal("sequence 1: item 3000 is an open file and cannot be sent to a worker",
        refusal(3000, number, io.stdout))
      assert.equal("sequence 1: field .a[2] of item 3000 is an open file and cannot be sent to a "
        .. "worker", refusal(3000, function(i) return { a = { i, i } } end,
        { a = { 1, io.stdout } }))
      local advice = "is a coroutine and cannot be sent to a worker; send the function that it runs"
      assert.equal("sequence 1: field .x of item 500 " .. advice,
        refusal(500, object, setmetatable({ x = thread }, Class)))
      assert.equal("sequence 1: field [thread] of item 2 is a key",
        refusal(2, number, { [thread] = 1 }):gsub(".*: a key of (item 2) is a coroutine.*",
          "sequence 1: field [thread] of %1 is a key"))
      assert.matches("^sequence 1: field .*of item 100 " .. advice:gsub("%;.*", ""),
        refusal(100, number, nested(40, thread)))
      assert.matches("^sequence 1: upvalue 'thread' of function .* in item 100 is a coroutine",
        refusal(100, object, function() return thread end))
      local removed = pool:push(1)
      removed:remove()
      assert.matches("^sequence 1: field .r of item 100 is a RemoteObject that was removed at ",
        refusal(100, number, { r = removed }))
    end)

    it("looks at every sequence, in whatever order items go", function()
      local list = {}
      for i = 1, 100 do list[i] = i end
      list[90] = { log = io.stdout }
      local kw = neap.kw { calls = calls }
      local message = "field .log of item 90 is an open file and cannot be sent to a worker"
      local function g(_, _, given) f(nil, given) end
      local views = { pool:with { schedule = "static" }, pool:with { chunk = 1 },
        pool:with { cost = function(_, x) return type(x) == "number" and x or 0 end } }
      for _, view in ipairs(views) do
        assert.equal("sequence 2: " .. message,
          message_of(view.map, view, g, neap.range(1, 100), list, kw))
      end
      assert.equal("sequence 1: " .. message,
        message_of(pool.map_async, pool, f, neap.immutable(list), kw))
      assert.equal("sequence 1: " .. message, message_of(pool.reduce, pool, f, list,
        function() end, kw))
      assert.equal(0, count())
    end)

    it("lets all pass that can be sent, once they are sent as they are", function()
      local shared, cycle = { 1 }, {}
      cycle.cycle = cycle
      local list = { 1, 2.5, "s", false, shared, { shared, shared }, cycle,
        setmetatable({ 7 }, Class), function() return shared end, neap.VectorArray.ones(2, 1),
        { neap.Matrix.identity(2) }, print, neap, neap.complex(1, 2), calls, { [shared] = shared },
        neap.immutable { 1 }, nested(100, 1) }
      local kinds = pool:map(type, list)
      for i, x in ipairs(list) do
        assert.equal(x == calls and "table" or type(x), kinds[i])
      end
      assert.same({ n = 0 }, pool:map(type, {}))
      assert.same({ "nil", "number", n = 2 }, pool:map(type, { n = 2, nil, 3 }))
    end)

    it("makes the items of a computed list once", function()
      local made = 0
      local list = setmetatable({ n = 5 }, { __index = function(_, i)
        made = made + 1
        return i * i
      end })
      assert.same({ 1, 4, 9, 16, 25, n = 5 }, pool:map(function(x) return x end, list))
      assert.equal(5, made)
    end)

    it("scatters nothing when a later item cannot be sent", function()
      local before = pool:status()
      local list = {}
      for i = 1, 100 do list[i] = i end
      list[100] = { log = io.stdout }
      assert.equal("list: field .log of item 100 is an open file and cannot be sent to a worker",
        message_of(pool.scatter_list, pool, list))
      for w, status in ipairs(pool:status()) do
        assert.equal(before[w].bytes_sent, status.bytes_sent)
      end
    end)

    it("scatters and gathers lists with nils, whose length is their n", function()
      local list = pool:gather_list(pool:scatter_list { n = 7, 1, nil, 3, nil, nil, 6, nil })
      assert.same({ n = 7, [1] = 1, [3] = 3, [6] = 6 }, list)
    end)
  end)
end
