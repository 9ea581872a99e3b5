-- What workers print, as the driver's user sees it.
local pools = require "spec.support.pools"
local command = require "spec.support.command"
local terminal = require "spec.support.terminal"

-- Lines in their order, those of each worker apart.
local function by_worker(text)
  local lists = {}
  for line in text:gmatch("[^\n]+") do
    local w, rest = line:match("^%[(%d+)%] ?(.*)$")
    w = math.tointeger(w) or 0
    lists[w] = lists[w] or {}
    table.insert(lists[w], rest or line)
  end
  return lists
end

for _, kind in ipairs(pools) do
  describe("output of " .. kind.name, function()
    it("comes as whole lines with the worker's number", function()
      local outcome = kind.run([[
        pool:apply(function()
          print("one", 2, nil, true)
          io.write("three\nfo", "ur\n\n")
          io.stdout:write("five\n")
        end)]])
      local lists = by_worker(outcome.out)
      for w = 1, kind.workers do
        assert.same({ "one\t2\tnil\ttrue", "three", "four", "", "five" }, lists[w])
      end
      assert.equal("", outcome.err)
      assert.equal(0, outcome.code)
    end)

    it("has standard error apart", function()
      local outcome = kind.run([[
        pool:apply_only(function() io.stderr:write("to er", "r\n") print("to out") end, 1)]])
      assert.equal("[1] to out\n", outcome.out)
      assert.equal("[1] to err\n", outcome.err)
    end)

    it("is there when the call returns, also a line without an end", function()
      local outcome = kind.run([[
        for i = 1, 3 do
          pool:apply_only(function() io.write("call ", i, "\nrest ", i) end, 1)
          print("after", i)
        end
        pcall(pool.apply_only, pool, function() io.write("before the error") error("x") end, 1)
        print("end")]])
      assert.equal("[1] call 1\n[1] rest 1\nafter\t1\n[1] call 2\n[1] rest 2\nafter\t2\n"
        .. "[1] call 3\n[1] rest 3\nafter\t3\n[1] before the error\nend\n", outcome.out)
    end)

    it("of a map does not cut lines between items", function()
      local outcome = kind.run([[
        pool:map(function(i) io.write(i, ",") end, neap.range(1, 500))]])
      local seen = 0
      for _, lines in pairs(by_worker(outcome.out)) do
        assert.equal(1, #lines)
        for _ in lines[1]:gmatch("%d+,") do seen = seen + 1 end
      end
      assert.equal(500, seen)
    end)

    it("shows any bytes, and lines of up to 1 MiB as what they are", function()
      local outcome = kind.run([[
        pool:apply_only(function()
          print("a\0b")
          for _, n in ipairs { 0, 8193, 65537, 2 ^ 20 | 0 } do print(("x"):rep(n)) end
        end, 1)]])
      local lengths = {}
      assert.equal("[1] a\0b\n", outcome.out:sub(1, 8))
      for line in outcome.out:gmatch "%[1%] (x*)\n" do lengths[#lengths + 1] = #line end
      assert.same({ 0, 8193, 65537, 2 ^ 20 }, lengths)
    end)

    it("shows longer lines in pieces of that length", function()
      local outcome = kind.run([[
        pool:apply_only(function()
          for _, n in ipairs { (2 ^ 20 | 0) + 1, 2 ^ 21 | 0 } do io.write(("x"):rep(n), "\n") end
          io.write("end\n")
        end, 1)]])
      local lengths = {}
      for line in outcome.out:gmatch "%[1%] (x*)\n" do lengths[#lengths + 1] = #line end
      assert.same({ 2 ^ 20, 1, 2 ^ 20, 2 ^ 20 }, lengths)
      assert.equal("[1] end\n", outcome.out:sub(-8))
    end)

    it("does not wait for what nobody reads", function()
      local outcome = kind.run([[
        pool:apply(function() for i = 1, 10000 do print("line " .. i) end end)]])
      local lines = by_worker(outcome.out) -- of each more than a pipe takes
      for w = 1, kind.workers do assert.equal(10000, #lines[w]) end
    end)
  end)
end

describe("output of worker processes", function()
  it("holds what commands and C code print", function()
    local outcome = pools.run(2, [[
      pool:apply_only(function() os.execute("echo from a command; echo error >&2") end, 2)
      print "after"]])
    assert.equal("[2] from a command\nafter\n", outcome.out)
    assert.equal("[2] error\n", outcome.err)
  end)

  it("holds the last lines of one that died", function()
    local outcome = pools.run(1, [[
      pcall(pool.apply, pool:with { retries = 0 }, function()
        io.stderr:write("last words\n")
        os.exit(7)
      end)]])
    assert.equal("[1] last words\n", outcome.err)
  end)

  it("is not repeated when a worker is made anew", function()
    local outcome = pools.run(1, [[
      local remote = pool:push { 0 }
      pool:apply(function(r) r[1] = r[1] + 1 print("once") io.stderr:write("once\n") end, remote)
      pool:kill(1)
      print(remote:get(1)[1])]])
    assert.equal("[1] once\n1\n", outcome.out)
    assert.equal("[1] once\n", outcome.err)
  end)
end)

describe("a call that carries much", function()
  local script = [[
    local data, other = ("x"):rep(2e6), ("y"):rep(10)
    for i = 1, 3 do
      pool:apply(function(a) return #data, other, a end, "z")
    end
    pool:map(function(i) return data:byte(i) end, { 1, 2 })
    local remote <close> = pool:push(data)
    pool:apply(function(a) return #a end, remote)
    pool:map(function(i) return i end, neap.range(1, 300000))]]

  it("is worth a warning, once for each place, that names the largest upvalue", function()
    local outcome = pools.run(2, script)
    local warnings = {}
    for line in outcome.err:gmatch("[^\n]+") do warnings[#warnings + 1] = line end
    assert.equal(2, #warnings)
    assert.equal("neap: warning: (command line):5: this call carries 2 MB beside blocks to a "
      .. "worker: upvalue data of f (2 MB). What is used again travels once with pool:push",
      warnings[1])
    assert.matches("(command line):7:", warnings[2], 1, true)
  end)
end)

describe("progress", function()
  local script = [[
    local clock = require "host.clock".now
    pool:with { progress = "squares", chunk = 1 }:map(function()
      local till = require "host.clock".now() + 0.02
      while require "host.clock".now() < till do end
    end, neap.range(1, %d))]]

  it("is a line on a terminal, once a call takes long", function()
    local path = command.write("local neap = require 'neap'\n"
      .. "local pool <close> = neap.pool { workers = 1 }\n" .. script:format(60))
    local screen = terminal.open("%neap% " .. path)
    screen:expect("squares: ")
    screen:expect(" of 60 (")
    screen:close()
    os.remove(path)
  end)

  it("is silenced by NEAP_PROGRESS=0", function()
    local path = command.write("local neap = require 'neap'\n"
      .. "local pool <close> = neap.pool { workers = 1 }\n" .. script:format(40)
      .. "\nprint 'the end'")
    local screen = terminal.open("NEAP_PROGRESS=0 %neap% " .. path)
    assert.is_nil(screen:expect("the end"):find("squares", 1, true))
    screen:close()
    os.remove(path)
  end)

  it("is silent for short calls, and where there is no terminal for ten seconds", function()
    assert.equal("", pools.run(1, script:format(2)).err)
    assert.equal("", pools.run(1, script:format(40)).err)
  end)
end)
