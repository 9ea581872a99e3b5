-- What the pool says to wrong calls: which argument or option, what was expected, what came, and
-- where the call stands in the caller's own code.
local neap = require "neap"
local pools = require "spec.support.pools"

-- Runs the code, in which p and n are the pool and neap, and returns what it raises.
local function refusal(code, pool)
  local f = assert(load("local p, n = ...\n" .. code, "=user.lua"))
  local ok, e = pcall(f, pool, neap)
  assert(not ok, code)
  return type(e) == "table" and e.message or e
end

local function check(cases, pool)
  for code, message in pairs(cases) do
    assert.equal("user.lua:2: " .. message, refusal(code, pool))
  end
end

describe("opening a pool refuses", function()
  it("values that are none for their option, by its name", function()
    for option, messages in pairs {
      workers = {
        ["1.5"] = "an integer from 0 to 4096 expected, got 1.5",
        ["-1"] = "an integer from 0 to 4096 expected, got -1",
        ["4097"] = "an integer from 0 to 4096 expected, got 4097",
        ['"2"'] = 'an integer from 0 to 4096 expected, got "2"',
        ["false"] = "an integer from 0 to 4096 expected, got false",
      },
      seed = { ["0.5"] = "an integer expected, got 0.5", ["{}"] = "number expected, got table" },
      blas_threads = {
        ["0"] = "an integer from 1 to 4096 expected, got 0",
        ["1e300"] = "an integer from 1 to 4096 expected, got 1e+300",
        ["true"] = "number expected, got boolean",
      },
      setup = {
        ["3"] = "function expected, got 3",
        ["false"] = "function expected, got false",
        ["{}"] = "function expected, got table",
        ["io.stdout"] = "function expected, got FILE*",
      },
      memory_limit = { ["-1"] = "an integer of at least 0 expected, got -1" },
    } do
      for value, message in pairs(messages) do
        for workers = 0, 1 do
          local given = ("%s = %s"):format(option, value)
          if option ~= "workers" then given = given .. (", workers = %d"):format(workers) end
          assert.equal(("user.lua:2: option '%s': %s"):format(option, message),
            refusal(("local q = n.pool { %s }"):format(given)))
        end
      end
    end
  end)

  it("options that it does not know, and what is no table", function()
    check {
      ["local q = n.pool { wrokers = 2 }"] =
        "unknown option 'wrokers' (known: blas_threads, memory_limit, seed, setup, workers)",
      ["local q = n.pool(2)"] =
        "options: table expected, got number: call neap.pool { workers = 2 }",
      ['local q = n.pool "2"'] = "options: table expected, got string",
    }
  end)

  it("a setup function that cannot be sent, and raises what it raises", function()
    for workers = 0, 1 do
      local function open(setup)
        return ("local q = n.pool { workers = %d, setup = %s }"):format(workers, setup)
      end
      assert.equal("option 'setup' is a C function without a name and cannot be sent to a worker; "
        .. "call it through its module", refusal(open "coroutine.wrap(print)"))
      assert.equal("user.lua:2: no data", refusal(open 'function() error "no data" end'))
      local called = neap.pool { workers = workers,
        setup = setmetatable({}, { __call = function() _G.was_called = 1 end }) }
      assert.equal(1, called:apply(function() return _G.was_called end)[1])
      called:close()
    end
  end)
end)

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("refuses wrong arguments of its calls", function()
      local worker = ("worker: an integer from 1 to %d expected, got "):format(kind.workers)
      check({
        ["p:apply(3)"] = "f: function expected, got number",
        ["p:apply()"] = "f: function expected, got nil",
        ["p:apply({})"] = "f: function expected, got table",
        ["p:apply_async()"] = "f: function expected, got nil",
        ["p:keep(io.stdout)"] = "f: function expected, got FILE*",
        ["p:submit(3)"] = "f: function expected, got number",
        ["p:explain(3)"] = "f: function expected, got number",
        ["p:apply_only(3, 1)"] = "f: function expected, got number",
        ["p:apply_only(print)"] = worker .. "nil",
        ["p:apply_only(print, 0)"] = worker .. "0",
        ['p:kill("1")'] = worker .. '"1"',
        ["p:kill(1, 65)"] = "signal: an integer from 1 to 64 expected, got 65",
        ["p:kill(1, 0)"] = "signal: an integer from 1 to 64 expected, got 0",
        ["p:map(3, {})"] = "f: function expected, got number",
        ["p:map(print)"] = "sequence 1: list, VectorArray or neap.range expected",
        ["p:map(print, n.kw {})"] = "sequence 1: list, VectorArray or neap.range expected",
        ["p:map(print, {}, io.stdout)"] =
          "sequence 2: list, VectorArray or neap.range expected, got FILE*",
        ["p:map_async(print, 3)"] =
          "sequence 1: list, VectorArray or neap.range expected, got number",
        ["p:map(print, { 1 }, {})"] = "sequence 2: length 1 expected as of sequence 1, got 0",
        ["p:map(print, { a = 1 })"] =
          'sequence 1: list expected, got a table with the fields "a" (arguments that every '
          .. "call gets by name go last, in a neap.kw)",
        ["p:map(print, { 1 }, { n = { 1 } })"] =
          'sequence 2: list expected, got a table with the fields "n" (arguments that every '
          .. "call gets by name go last, in a neap.kw)",
        ["p:map(print, n.immutable { a = 1 })"] =
          'sequence 1: list expected, got a table with the fields "a" (arguments that every '
          .. "call gets by name go last, in a neap.kw)",
        ["p:map(print, {}, n.kw { a = 1 }, {})"] =
          "sequence 2: a neap.kw goes last, after all sequences",
        ["p.push { 5 }"] =
          "push: WorkerPool expected before the arguments, got table: call "
          .. "pool:push(...), with a colon",
        ["p.close()"] =
          "close: WorkerPool expected before the arguments, got nil: call "
          .. "pool:close(...), with a colon",
        ["p:push()"] = "object: one value expected, got 0",
        ["p:push(1, 2)"] = "object: one value expected, got 2",
        ["p.workers = 7"] = "a WorkerPool's fields cannot be set: 'workers'",
        ["p:with {}.transport = 7"] = "a WorkerPool's fields cannot be set: 'transport'",
        ["n.range(1, 3)[2] = 7"] = "neap.range cannot be changed: field '2'",
        ["p:reduce(3, {}, print)"] = "f: function expected, got number",
        ["p:reduce(print, {})"] = "combine: function expected, got nil",
        ["p:reduce(print, 3, print)"] =
          "sequence 1: list, VectorArray or neap.range expected, got number",
        ["p:reduce(print, {}, print, {})"] = "kw: a neap.kw expected, got table",
        ["p:scatter_list()"] = "list: table expected, got nil",
        ["p:scatter_array(n.Matrix.zeros(1, 1))"] = "U: VectorArray expected, got neap.Matrix",
        ["p:scatter_array(io.stdout)"] = "U: VectorArray expected, got FILE*",
        ["local q = p:with(3)"] = "options: table expected, got number",
        ["local q = p:with { chunk = 0 }"] = "option 'chunk': positive integer expected, got 0",
      }, pool)
    end)

    it("refuses wrong handles and futures", function()
      local worker = ("worker: an integer from 1 to %d expected, got "):format(kind.workers)
      check({
        ["p:gather_array(3)"] = "remote: RemoteObject expected, got number",
        ["p:gather_list {}"] = "remote: RemoteObject expected, got table",
        ["p:gather_list(p:push(3))"] =
          "remote: a list on each worker expected, got number on worker 1",
        ["p:gather_array(p:push {})"] =
          "remote: a VectorArray on each worker expected, got table on worker 1",
        ["p:push(1):get(99)"] = worker .. "99",
        ["p:push(1).get()"] = "remote: RemoteObject expected, got nil",
        ["local r = p:push(1) r:remove() r:get()"] =
          "RemoteObject (removed at user.lua:2) has no object",
        ["local r = p:push(1) r:remove() p:gather_list(r)"] =
          "RemoteObject (removed at user.lua:2) has no object",
        ["n.RemoteObjectManager():manage(3)"] = "remote: RemoteObject expected, got number",
        ["n.wait_any {}"] = "futures: at least one expected",
        ["n.wait_any { 3 }"] = "futures: item 1 is no Future",
        ["n.wait_any { nil, p:submit(type, 1) }"] = "futures: item 1 is no Future",
        ["n.wait_all { p:submit(type, 1), nil, p:submit(type, 1) }"] =
          "futures: item 2 is no Future",
        ["n.wait_all(p:submit(print))"] = "futures: list of Futures expected, got a Future itself",
        ["n.wait_any(p:submit(print))"] = "futures: list of Futures expected, got a Future itself",
        ["n.wait_all { a = p:submit(print) }"] =
          'futures: list expected, got a table whose first field is "a"',
        ["n.wait_all(3)"] = "futures: list expected, got number",
        ["n.kw(3)"] = "values: table expected, got number",
        ["n.range(1)"] = "last: finite number expected, got nil",
        ['n.range("a", 1)'] = 'first: finite number expected, got "a"',
        ["n.range(1, 2, 0)"] = "step: a number other than 0 expected",
      }, pool)
      local other <close> = kind.open()
      local remote <close> = other:push {}
      assert.equal("remote: a RemoteObject of this pool expected, got one of another",
        select(2, pcall(pool.gather_list, pool, remote)))
    end)

    it("refuses all calls once it is closed, where they stand", function()
      local other = kind.open()
      local remote = other:push(1)
      other:close()
      for _, code in ipairs {
        "p:apply(print)", "p:apply_async(print)", "p:apply_only(print, 1)", "p:keep(print)",
        "p:submit(print)", "p:map(print, {})", "p:map_async(print, { 1 })",
        "p:reduce(print, { 1 }, print)", "p:push(1)", "p:scatter_list {}",
        "p:scatter_array(n.VectorArray.zeros(1, 1))",
        "p:scatter_array(n.VectorArray.zeros(1, 1), { copy = false })",
        "p:explain(print)", "p:status()", "p:kill(1)",
      } do
        check({ [code] = "pool is closed" }, other)
      end
      assert.equal("RemoteObject (its pool is closed) has no object",
        select(2, pcall(remote.get, remote)))
      assert.equal("WorkerPool (closed)", tostring(other:with {}))
      other:close()
    end)
  end)
end
