-- Workers that cannot be made again: their calls say why, and the pool goes on without them.
local neap = require "neap"
local command = require "spec.support.command"

-- Kills its process for ever: the file of that name is what setup asks for.
local function opener()
  local path = os.tmpname()
  return path, function() assert(io.open(path)):close() end
end

local function kill_self()
  local file <close> = assert(io.open("/proc/self/stat"))
  os.execute("kill -9 " .. file:read("n"))
  while true do end -- until it comes
end

describe("a setup function that fails on a new process", function()
  local pool, path, setup
  before_each(function()
    path, setup = opener()
    pool = neap.pool { workers = 2, setup = setup }
    os.remove(path)
    pool:kill(2)
  end)
  after_each(function()
    pool:close()
    os.remove(path)
  end)

  it("is the error of the calls of that worker", function()
    local ok, e = pcall(pool.apply, pool, function() return 1 end)
    assert.is_false(ok)
    assert.equal("error", e.kind)
    assert.equal(2, e.worker)
    assert.matches("^setup failed: .*" .. path .. ": No such file", e.message)
    assert.matches("lost_spec.lua:8", e.traceback, 1, true)
    assert.equal(1, e.results[1][1])
    assert.equal("lost", pool:status()[2].state)
    assert.equal(1, pool:apply_only(function() return 1 end, 1))
    assert.has_error(function() pool:apply_only(function() return 1 end, 2) end)
  end)

  it("is no error of a map or of what is submitted: others do that", function()
    for _, schedule in ipairs { "dynamic", "static" } do
      local results = pool:with { schedule = schedule }:map(function(i) return 2 * i end,
        neap.range(1, 100))
      for i = 1, 100 do assert.equal(2 * i, results[i]) end
      local futures = {}
      for i = 1, 5 do futures[i] = pool:submit(function(x) return -x end, i) end
      for i = 1, 5 do assert.equal(-i, futures[i]:get()) end
    end
  end)

  it("is the error of a map where no worker is left", function()
    pool:kill(1)
    local ok, e = pcall(pool.map, pool, function() return 1 end, neap.range(1, 10))
    assert.is_false(ok)
    assert.matches("^setup failed: ", e.message)
    local future = pool:submit(function() return 1 end)
    ok, e = pcall(future.get, future)
    assert.is_false(ok)
    assert.matches("^setup failed: ", e.message)
  end)

  it("is forgotten once it works again, with the objects that there were", function()
    io.open(path, "w"):close()
    local remote <close> = pool:push { 1 }
    pool:apply(function(t) t[1] = t[1] + 1 end, remote)
    os.remove(path)
    pool:kill(2)
    assert.has_error(function() return remote:get(2) end)
    io.open(path, "w"):close()
    assert.same({ 2 }, remote:get(2))
    assert.equal("idle", pool:status()[2].state)
    assert.equal(2, pool:apply(function() return 1 end).n)
  end)
end)

describe("a call that was ended", function()
  local pool, remote
  before_each(function()
    pool = neap.pool { workers = 2 }
    remote = pool:push { 1 }
  end)
  after_each(function() pool:close() end)

  it("since it killed its worker is not repeated when its objects are made again", function()
    for _ = 1, 2 do
      local ok, e = pcall(pool.apply_only, pool, function(t, kill)
        t[1] = 5
        kill()
      end, 2, remote, kill_self)
      assert.is_false(ok)
      assert.equal("died", e.kind)
    end
    assert.same({ 1 }, remote:get(2))
    assert.equal(4, pool:status()[2].restarts) -- each was tried twice
  end)

  it("since it took too long is not repeated either", function()
    local ok, e = pcall(function()
      pool:with { timeout = 0.2 }:apply(function(t)
        t[1] = 6
        while true do end
      end, remote)
    end)
    assert.is_false(ok)
    assert.equal("timeout", e.kind)
    assert.same({ 6 }, remote:get(1)) -- as it was when it was ended
    pool:kill(1)
    assert.same({ 6 }, pool:with { timeout = 5 }:apply(function(t) return t end, remote)[1])
  end)

  it("by an error of its own is: what it changed before that stays changed", function()
    assert.has_error(function()
      pool:apply(function(t)
        t[1] = t[1] + 1
        error "no"
      end, remote)
    end)
    pool:kill(1)
    assert.same({ { 2 }, { 2 }, n = 2 }, remote:get())
  end)
end)

describe("a worker that cannot be started again", function()
  local function run(body)
    local path = command.write('local neap = require "neap"\n' .. body)
    local outcome = command.run(("ulimit -n 60; exec %%neap%% %s"):format(path))
    os.remove(path)
    return outcome
  end

  -- Has no descriptor left but those of its workers.
  local full = [[
    local pool <close> = neap.pool { workers = N }
    pool:apply(function() return 1 end)
    local files = {}
    while true do
      local file = io.open "/dev/null"
      if not file then break end
      files[#files + 1] = file
    end
    local function sum(results)
      local s = 0
      for i = 1, results.n do s = s + results[i] end
      return s
    end
    local function id(i) return i end
  ]]

  it("is missing in no map, as long as there is another", function()
    local outcome = run(full:gsub("N", "2", 1) .. [[
      pool:kill(2)
      print(sum(pool:map(id, neap.range(1, 100))), pool:status()[2].state)
      print(sum(pool:map(id, neap.range(1, 100))))
      print(sum(pool:with { schedule = "static" }:map(id, neap.range(1, 100))))
      print(pool:submit(id, 5):get())
      for _, file in ipairs(files) do file:close() end
      print(sum(pool:map(id, neap.range(1, 100))), pool:status()[2].state)
    ]])
    assert.equal("", outcome.err)
    assert.equal("5050\tlost\n5050\n5050\n5\n5050\tidle\n", outcome.out)
  end)

  it("is told where there is no other", function()
    local outcome = run(full:gsub("N", "1", 1) .. [[
      pool:kill(1)
      local _, e = pcall(pool.map, pool, id, neap.range(1, 100))
      print(e.kind, e.message)
      _, e = pcall(pool.map, pool, id, neap.range(1, 100))
      print(e.kind, e.message)
      print(#pool:map(id, {}))
      local future = pool:submit(id, 5)
      _, e = pcall(future.get, future)
      print(e.kind, e.message)
      for _, file in ipairs(files) do file:close() end
      print(sum(pool:map(id, neap.range(1, 100))), pool:submit(id, 6):get())
    ]])
    assert.equal("", outcome.err)
    local expected = "^died\t[^\n]*\ndied\tworker 1 cannot be started: too many open files\n0\n"
      .. "died\tworker 1 cannot be started: too many open files\n5050\t6\n$"
    assert.matches(expected, outcome.out)
  end)
end)
