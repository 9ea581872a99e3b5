-- The life of a pool, every kind of it.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"
local message_of = calls.message_of
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool

    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("refuses unknown options and calls once it is closed", function()
      assert.matches("unknown option 'tiemout'",
        message_of(pool.with, pool, { tiemout = 1 }))
      local other = kind.open()
      other:close()
      other:close()
      assert.equal("pool is closed", message_of(other.apply, other, print))
      assert.equal("WorkerPool (closed)", tostring(other))
    end)

    it("refuses calls from what computes a global that a worker waits for", function()
      local other <close> = kind.open()
      local before = getmetatable(_G)
      local function with(compute)
        setmetatable(_G, { __index = function(_, name)
          if name == "computed_global" then return compute() end
        end })
        local ok, e = pcall(other.apply, other, function() return _G.computed_global end)
        setmetatable(_G, before)
        return ok and "no error" or tostring(e)
      end
      assert.matches("the pool cannot be called while a worker waits for a global",
        with(function() return other:apply(function() return 1 end)[1] end), 1, true)
      assert.equal(2, other:apply(function() return 2 end)[1])
      assert.matches("the pool cannot be closed while a worker waits for a global",
        with(function() other:close() end))
    end)

    it("finds modules where the driver finds them, also when that has changed", function()
      local folder, remove = command.folder()
      local file = assert(io.open(folder .. "/found_late.lua", "w"))
      file:write("return 7")
      file:close()
      local path = package.path
      package.path = folder .. "/?.lua;" .. path
      local results = pool:map(function() return (require "found_late") end, { 1 })
      package.path = path
      remove()
      assert.equal(7, results[1])
    end)

    it("runs setup on each worker", function()
      local other <close> = kind.open { setup = function() _G.prepared = 5 end }
      assert.equal(5, other:apply(function() return _G.prepared end)[1])
      local ok, e = pcall(kind.open, { setup = function() error "not today" end })
      assert.is_false(ok)
      assert.matches("not today", tostring(e))
    end)

    it("is inline on a worker", function()
      local transport = pool:apply(function()
        local inner <close> = require("neap").pool { workers = 3 }
        return inner.transport .. #inner .. inner:apply(function() return "!" end)[1]
      end)
      assert.equal("inline1!", transport[1])
    end)

    it("says what its workers are", function()
      local list = pool:status()
      assert.equal(kind.workers, #list)
      for w, status in ipairs(list) do
        assert.equal(w, status.worker)
        assert.equal("idle", status.state)
        assert.is_true(status.pid > 0)
        assert.is_true(status.rss > 1e6)
        assert.is_true(status.cpu >= 0)
        assert.equal(1, status.blas_threads)
        assert.equal(0, status.restarts)
        assert.is_true(#status.host > 0)
      end
    end)

    it("lives beside others", function()
      local a <close> = kind.open()
      local b <close> = kind.open()
      local x, y = a:push(1), b:push(2)
      assert.equal(1, a:apply(function(v) return v end, x)[1])
      assert.equal(2, b:apply(function(v) return v end, y)[1])
      local f, g = a:submit(function() return "a" end), b:submit(function() return "b" end)
      assert.equal("ab", f:get() .. g:get())
    end)

    it("leaves nothing behind, however often it is opened and closed", function()
      kind.open():close()
      local before = leaks.snapshot()
      for i = 1, kind.is_inline and 50 or 10 do
        local other <close> = kind.open()
        local remote = other:push { i }
        if i % 3 == 0 then remote:remove() end
        other:map(function(x) return x end, { 1, 2, 3 })
        local _ = other:submit(function() end)
      end
      assert.same({}, leaks.since(before))
    end)

    it("is closed when it is collected, also with a call under way", function()
      collectgarbage()
      local before = leaks.snapshot()
      do
        local other = kind.open()
        other:apply_async(function() end)
      end
      assert.same({}, leaks.since(before))
    end)
  end)
end

-- Runs a script that prints the number of its process first. What its workers are to be gone by
-- is that the shell, and so this, goes on.
local function run(script)
  local outcome = command.run(([[%%neap%% -e %s]]):format(command.quote([[
    io.write(io.open("/proc/self/stat"):read("n"), "\n"):flush()
    local neap = require "neap"
  ]] .. script)))
  outcome.pid = outcome.out:match("^(%d+)\n")
  outcome.out = outcome.out:gsub("^%d+\n", "")
  return outcome
end

-- Worker processes of the driver with that number which are there after at most a second.
local function workers_of(pid)
  local clock = require "host.clock".now
  local until_time = clock() + 1
  local count
  repeat
    local list = assert(io.popen("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"))
    count = select(2, list:read("a"):gsub("%-%-worker " .. pid .. " ", ""))
    list:close()
  until count == 0 or clock() > until_time
  return count
end

describe("a script that ends with pools open", function()
  local ends = {
    ["by itself"] = { "local pool = neap.pool { workers = 2 }", 0 },
    ["with a call under way"] = {
      "local p = neap.pool { workers = 2 }; p:apply_async(function() while true do end end)", 0,
    },
    ["by os.exit"] = { "local pool = neap.pool { workers = 2 }; os.exit(3)", 3 },
    ["by os.exit with a call under way"] = {
      "local p = neap.pool { workers = 2 }; p:submit(function() while 1 do end end); os.exit(4)", 4,
    },
    ["by os.exit that closes the state"] = {
      "local pool = neap.pool { workers = 2 }; os.exit(5, true)", 5,
    },
    ["by an error"] = { "local pool = neap.pool { workers = 2 }; error('no luck', 0)", 1 },
    ["by an error in a call"] = {
      "local pool = neap.pool { workers = 2 }; pool:apply(error, 'no luck', 0)", 1,
    },
    ["by a signal"] = {
      "local pool = neap.pool { workers = 2 }; os.execute('kill -9 $PPID'); while true do end", 137,
    },
  }
  for how, case in pairs(ends) do
    it(how .. " leaves no worker and has its own exit code", function()
      local start = os.time()
      local outcome = run(case[1])
      assert.equal(case[2], outcome.code)
      assert.is_true(os.time() - start < 5)
      assert.equal(0, workers_of(outcome.pid))
      if how:find("error") then assert.matches("no luck", outcome.err, 1, true) end
    end)
  end

  it("at the end of its input leaves no worker", function()
    local outcome = command.run([[printf 'local neap = require "neap"
      pool = neap.pool { workers = 1 }
      print(pool:apply(function() return 5 end)[1])' | %neap% -]])
    assert.equal("5\n", outcome.out)
    assert.equal(0, outcome.code)
  end)
end)

describe("worker processes", function()
  it("end by themselves when the pool closes, also those that somebody has stopped", function()
    local path = os.tmpname()
    local pool = neap.pool { workers = 2 }
    pool:apply(function(name)
      local function note()
        local file <close> = io.open(name, "a")
        file:write "ended\n"
      end
      _G.ended = setmetatable({}, { __gc = note })
    end, path)
    pool:kill(2, 19) -- SIGSTOP
    pool:close()
    local file <close> = assert(io.open(path))
    os.remove(path)
    assert.equal("ended\nended\n", file:read "a") -- by SIGTERM or SIGKILL it writes nothing
  end)

  it("use no processor time while they have nothing to do", function()
    local pool <close> = neap.pool { workers = 2 }
    pool:apply(function() end)
    local before = pool:status()
    local clock = require "host.clock".now
    local start = clock()
    os.execute("sleep 1")
    local seconds = clock() - start
    for w, status in ipairs(pool:status()) do
      assert.is_true(status.cpu - before[w].cpu <= 0.01 * seconds + 0.01) -- ticks of 10 ms
    end
  end)

  it("have the environment of the driver: search paths and folder", function()
    local pool <close> = neap.pool { workers = 1 }
    local folder, remove = command.folder()
    local lfs = require "lfs"
    local home = lfs.currentdir()
    command.write("return { name = 'first' }", folder .. "/spec_module.lua")
    local path = package.path
    package.path = folder .. "/?.lua;" .. path
    lfs.chdir(folder)
    local ok, e = pcall(function()
      local where = function() return require("lfs").currentdir() end
      assert.equal(folder, pool:apply(where)[1])
      assert.equal(folder, pool:map(where, { 1 })[1])
      assert.equal("first", pool:apply(function() return require("spec_module").name end)[1])
    end)
    lfs.chdir(home)
    package.path = path
    remove()
    if not ok then error(e, 0) end
  end)

  it("load a module again when the driver has another version of it", function()
    local pool <close> = neap.pool { workers = 1 }
    local folder, remove = command.folder()
    local path = package.path
    package.path = folder .. "/?.lua;" .. path
    local ok, e = pcall(function()
      local file = folder .. "/spec_module.lua"
      local version = function()
        local m = require "spec_module"
        return pool:apply(function() return m.version() end)[1]
      end
      command.write("return { version = function() return 1 end }", file)
      assert.equal(1, version())
      command.write("return { version = function() return 2 end }", file)
      package.loaded.spec_module = nil
      assert.equal(2, version())
    end)
    package.loaded.spec_module = nil
    package.path = path
    remove()
    if not ok then error(e, 0) end
  end)

  it("inherit no descriptor but their own", function()
    local file <close> = assert(io.open("/dev/null"))
    local _ <close> = neap.pool { workers = 1 }
    local pool <close> = neap.pool { workers = 2 }
    local highest = function() -- of what the worker has, but for the pipe to this command
      local list = assert(io.popen("find /proc/$PPID/fd -type l -printf '%f %l\\n' | "
        .. "grep -v pipe: | sort -n | tail -n 1"))
      local n = list:read("n")
      list:close()
      return n
    end
    assert.is_true(pool:apply(highest)[2] <= 6) -- standard streams, pipe, channel, bell
    file:close()
  end)

  it("are not in the way of a driver whose output nobody reads", function()
    local outcome = command.run([[%neap% -e 'local neap = require "neap"
      local pool <close> = neap.pool { workers = 1 }
      pool:apply(function() for i = 1, 1e5 do print(i) end end)' | head -n 1]])
    assert.equal("[1] 1\n", outcome.out)
  end)
end)
