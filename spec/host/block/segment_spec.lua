-- Large blocks: memory that processes share, and that is used again.
local array = require "host.array"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local neap = require "neap"
local VectorArray = neap.VectorArray

local MIB = 2 ^ 20 // 1 | 0
local NUMBERS = MIB // 8

local idle = array.idle_bytes

describe("a large block", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  it("is one mapping and one descriptor, both gone with collectgarbage()", function()
    local before = leaks.snapshot()
    local U = VectorArray.zeros(NUMBERS, 1)
    assert.equal(before.segments + 1, leaks.segments())
    assert.equal(1, #leaks.since(before) - 1) -- beside the mapping
    U:close()
    assert.is_true(idle() >= MIB)
    collectgarbage()
    assert.equal(0, idle())
    assert.equal(before.segments, leaks.segments())
  end)

  it("is no mapping of its own below 256 KiB", function()
    local before = leaks.segments()
    local U <close> = VectorArray.zeros(2 ^ 15 - 1 | 0, 1)
    assert.equal(before, leaks.segments())
    local V <close> = VectorArray.zeros(2 ^ 15 | 0, 1)
    assert.equal(before + 1, leaks.segments())
    assert.equal(0, U:get(1, 1) + V:get(1, 1))
  end)

  it("takes the memory of one that was freed, also of nearly the same size", function()
    VectorArray.ones(NUMBERS, 1):close()
    local before = leaks.segments()
    local U <close> = VectorArray.zeros(NUMBERS - 100, 1)
    assert.equal(before, leaks.segments())
    assert.equal(0, idle())
    assert.equal(0, U:sup_norm()[1]) -- nothing of what was there
  end)

  it("is not taken for one that is much smaller", function()
    VectorArray.ones(2 * NUMBERS, 1):close()
    local before = leaks.segments()
    local U <close> = VectorArray.zeros(NUMBERS, 1)
    assert.equal(before + 1, leaks.segments())
    assert.equal(0, U:get(1, 1))
  end)

  it("is kept for the next one only within a bound", function()
    local kept = {}
    for i = 1, 64 do kept[i] = VectorArray.zeros(8 * NUMBERS, 16) end -- 8 GiB that nobody touches
    for i = 1, 64 do kept[i]:close() end
    local file <close> = assert(io.open("/proc/meminfo"))
    local memory = file:read("a"):match("MemTotal:%s+(%d+)") * 1024
    assert.is_true(idle() <= math.max(128 * MIB, memory / 8))
  end)

  local can_mount = os.execute "unshare -m mount --bind /dev/null /proc/meminfo 2>/dev/null"
  ;(can_mount and it or pending)("is not kept where the machine is short of memory", function()
    local script = command.write [[
      local idle, VectorArray = require "host.array".idle_bytes, require "neap".VectorArray
      VectorArray.ones(1 << 17, 64):close()
      print(idle())
    ]]
    for available, expected in pairs { [1 << 34] = 64 * MIB, [1 << 10] = 0 } do -- of 16 GiB
      local meminfo = command.write(("MemTotal: 16777216 kB\nMemAvailable: %d kB\n")
        :format(available))
      local outcome = command.run(("unshare -m sh -c 'mount --bind %s /proc/meminfo && exec "
        .. "%%neap%% %s'"):format(meminfo, script))
      os.remove(meminfo)
      assert.equal("", outcome.err)
      assert.equal(expected .. "\n", outcome.out)
    end
    os.remove(script)
  end)

  it("that was sent is used again only when nobody else has it", function()
    local pool <close> = neap.pool { workers = 2 }
    pool:apply(function() collectgarbage "stop" end) -- they collect when they are told to
    local before = leaks.segments() -- what the pool itself shares with its workers
    local U = VectorArray.ones(NUMBERS, 1)
    local remote = pool:push(U)
    U:close()
    remote:remove() -- the workers learn of it with the next request, and collect later
    pool:apply(function() end)
    local V = VectorArray.full(7, NUMBERS, 1)
    assert.equal(before + 2, leaks.segments()) -- that of U, on the workers still, and that of V
    pool:apply(function() collectgarbage() end)
    local W = VectorArray.full(8, NUMBERS, 1)
    assert.equal(before + 2, leaks.segments())
    assert.equal(0, idle())
    assert.same({ 7, 8 }, { V:get(NUMBERS, 1), W:get(NUMBERS, 1) })
    V:close()
    W:close()
  end)

  it("that was sent is written in place once everybody has let go", function()
    local pool <close> = neap.pool { workers = 1 }
    local U = VectorArray.ones(NUMBERS, 1)
    for i = 1, 5 do
      pool:apply(function(V)
        V:set(1, 1, 0)
        V:close()
      end, U)
      pool:apply(function() end) -- the worker lets go of a message after it has answered it
      U:scal(2)
      assert.equal(2 ^ i, U:get(1, 1))
    end
    assert.is_true(leaks.segments() <= 2)
    U:close()
  end)

  it("keeps a loop of temporaries under 200 MB, what waits to be used again included", function()
    local U = VectorArray.ones(NUMBERS, 8)
    local largest = 0
    for _ = 1, 1000 do
      local V = U + U
      largest = math.max(largest, select(2, array.blocks()) + idle())
      assert.equal(2, V:get(1, 1))
    end
    assert.is_true(largest < 200e6)
    U:close()
  end)

  it("may have more than 2^31 entries, on every side", function()
    local dim = (1 << 31) + 1000 -- 16 GiB that nobody touches
    local pool <close> = neap.pool { workers = 2 }
    local U = VectorArray.zeros(dim, 1)
    U:set(dim, 1, 5)
    U:set(1 << 31, 1, 6)
    local remote <close> = pool:push(U)
    U:set(dim, 1, -1)
    local seen = pool:apply(function(V)
      V:set(V.dim - 1, 1, 7)
      return { V:get(V.dim, 1), V:get(1 << 31, 1), V.dim }
    end, remote)
    assert.same({ 5, 6, dim }, seen[2])
    local V = remote:get(1)
    assert.same({ 7, 5 }, { V:get(dim - 1, 1), V:get(dim, 1) })
    local W = VectorArray.zeros(1 << 20, 2100) -- 16.4 GiB, in vectors of 8 MiB
    W:set(3, 2100, 9)
    local part <close> = pool:scatter_array(W, { copy = false })
    assert.equal(9, pool:apply_only(function(X) return X[#X]:get(3, 1) end, 2, part))
    local X = pool:gather_array(part)
    assert.same({ 2100, 9 }, { #X, X:slice(2099, 2100):get(3, 2) })
    assert.equal(9, X[2100]:sup_norm()[1])
    for _, A in ipairs { U, V, W, X } do A:close() end
  end)

  it("is refused where its size overflows", function()
    assert.error_matches(function() return VectorArray.zeros(math.maxinteger, 2) end, "too large")
    assert.error_matches(function() return VectorArray.zeros(1 << 60, 1 << 4) end, "too large")
    assert.error_matches(function() return VectorArray.zeros(1 << 59, 1) end, "not enough memory")
  end)

  it("is refused where the machine could never fill it", function()
    -- 32 TiB: there are addresses for that, and the kernel would give them
    assert.error_matches(function() return VectorArray.zeros(1 << 22, 1 << 20) end,
      "not enough memory for an array of 33554432.0 MiB")
  end)
end)

describe("thousands of large arrays", function()
  it("are sent in one message and in many", function()
    local pool <close> = neap.pool { workers = 2 }
    local list = {}
    for i = 1, 1500 do
      list[i] = VectorArray.zeros(2 ^ 15 | 0, 1)
      list[i]:set(1, 1, i)
    end
    local function sum(arrays)
      local total = 0
      for _, U in ipairs(arrays) do total = total + U:get(1, 1) end
      return total
    end
    local remote <close> = pool:push(list)
    assert.equal(1500 * 1501 / 2, pool:apply(sum, remote)[2])
    assert.equal(1500 * 1501 / 2, sum(remote:get(1)))
    local remotes = {}
    for i = 1, 1500 do remotes[i] = pool:push(list[i]) end
    assert.equal(1500, pool:apply(function(U) return U:get(1, 1) end, remotes[1500])[1])
    for i = 1, 1500 do remotes[i]:remove() end
  end)

  it("work where the system grants few descriptors", function()
    local script = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 2 }
      local list = {}
      for i = 1, 300 do
        list[i] = neap.VectorArray.zeros(2 ^ 15 | 0, 1)
        list[i]:set(1, 1, i)
      end
      local results = pool:apply(function(arrays)
        local total = 0
        for _, U in ipairs(arrays) do total = total + U:get(1, 1) end
        arrays[300]:set(2, 1, total)
        return arrays
      end, list)
      print(results[2][300]:get(2, 1), results[1][7]:get(1, 1), list[300]:get(2, 1))
    ]]
    for _, limit in ipairs { 150, 300, 1000 } do
      local outcome = command.run(("ulimit -n %d; %%neap%% %s"):format(limit, script))
      assert.equal("", outcome.err)
      assert.equal("45150.0\t7.0\t0.0\n", outcome.out)
    end
    os.remove(script)
  end)

  it("cross both ways, are kept and sent on where the system grants few descriptors", function()
    local script = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 4 }
      local n = 2 ^ 15 | 0
      local here, there, files = {}, {}, {}
      for i = 1, 10 do files[i] = assert(io.open("/dev/null")) end -- the script has some as well
      for i = 1, 100 do
        here[i] = neap.VectorArray.full(i, n, 1)
        if i % 5 == 0 then
          pool:apply(function(U)
            kept = kept or {}
            kept[#kept + 1] = U
          end, here[i])
        end
      end
      for i = 1, 5 do -- all workers answer at once, with as many descriptors as a message may have
        there[i] = pool:apply(function(k)
          local list = {}
          for j = 1, 18 do list[j] = neap.VectorArray.full(100 * k + j, n, 1) end
          return list
        end, i)
        here[5]:set(2, 1, i) -- a page that is sent as a patch
        there[i][4][18]:set(2, 1, i)
      end
      local sums, arrays = pool:apply(function(lists, U)
        local sum = 0
        for _, results in ipairs(lists) do
          for _, list in ipairs(results) do
            for _, V in ipairs(list) do sum = sum + V:get(1, 1) + V:get(2, 1) end
          end
        end
        for _, V in ipairs(kept) do sum = sum + V:get(n, 1) end
        return sum, U
      end, there, here[5])
      print(sums[1], sums[4], arrays[2]:get(2, 1), arrays[3]:get(3, 1))
    ]]
    local sum = 0
    for k = 1, 5 do
      for j = 1, 18 do sum = sum + 8 * (100 * k + j) end
      sum = sum - (100 * k + 18) + k
    end
    for i = 5, 100, 5 do sum = sum + i end
    local outcome = command.run("ulimit -n 150; %neap% " .. script)
    assert.equal("", outcome.err)
    assert.equal(("%d.0\t%d.0\t5.0\t5.0\n"):format(sum, sum), outcome.out)
    os.remove(script)
  end)
end)

describe("a worker without a descriptor left", function()
  it("says so, and works again when it has some", function()
    local script = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 1 }
      local U = neap.VectorArray.full(3, 2 ^ 15 | 0, 2)
      pool:apply(function()
        _G.files = {}
        repeat
          local file = io.open "/dev/null"
          files[#files + 1] = file
        until not file
      end)
      print(pcall(pool.apply, pool, function(V) return V:get(1, 2) end, U))
      pool:apply(function()
        for _, file in ipairs(files) do file:close() end
      end)
      print(pool:apply(function(V) return V:get(1, 2) end, U)[1], pool:status()[1].restarts)
    ]]
    local outcome = command.run(("ulimit -n 150; %%neap%% %s"):format(script))
    assert.equal("", outcome.err)
    assert.matches("^false\tan array could not be received: too many open files", outcome.out)
    assert.matches("\n3.0\t0\n$", outcome.out)
    os.remove(script)
  end)
end)

describe("a driver without a descriptor left", function()
  it("receives what needs none, refuses the rest, and goes on when it has some", function()
    local script = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 2 }
      local n = 2 ^ 15 | 0
      local U = neap.VectorArray.full(3, n, 2)
      local remote = pool:keep(function() return require "neap".VectorArray.full(4, 2 ^ 15, 2) end)
      local small = pool:push { 1 }
      local files = {}
      repeat
        local file = io.open "/dev/null"
        files[#files + 1] = file
      until not file
      print(pcall(remote.get, remote, 1))
      local V = neap.VectorArray.full(5, n, 2) -- without a descriptor it is sent as bytes
      V[1]:axpy(2, U[1])
      print(V:get(1, 1), small:get(2)[1])
      print(pool:apply(function(X) return X:get(1, 1) end, V)[2])
      U:set(1, 1, 6)
      print(pool:apply(function(X) return X:get(1, 1) + X:get(2, 2) end, U)[2])
      for _, file in ipairs(files) do file:close() end
      print(remote:get(1):get(1, 1), remote:get(2):get(n, 2), U:get(1, 1), V:get(1, 1))
      print(pool:status()[1].restarts + pool:status()[2].restarts)
    ]]
    local outcome = command.run(("ulimit -n 150; exec %%neap%% %s"):format(script))
    os.remove(script)
    assert.equal("", outcome.err)
    assert.matches("^false\tan array could not be received: too many open files", outcome.out)
    assert.matches("\n11.0\t1\n11.0\n9.0\n4.0\t4.0\t6.0\t11.0\n0\n$", outcome.out)
  end)
end)

describe("processes that are killed", function()
  local function listing()
    local file <close> = assert(io.popen("ls -1A /dev/shm; ls -1A /tmp | grep -i 'neap\\|memfd'"))
    return file:read "a"
  end

  --- Runs a script that prints its workers' pids and kills itself with signal 9.
  local function dies(script)
    local before = listing()
    local outcome = command.run("%neap% " .. script)
    assert.equal(-9, outcome.code > 128 and 128 - outcome.code or outcome.code)
    local n = 0
    for pid in outcome.out:gmatch("%d+") do
      n = n + 1
      -- It dies with the driver: that takes the system a moment, not a second.
      assert.is_true((os.execute(("timeout 5 sh -c 'while kill -0 %s 2>/dev/null; do :; done'")
        :format(pid))))
    end
    assert.equal(3, n)
    assert.equal(before, listing())
    os.remove(script)
  end

  it("leave nothing behind, neither the driver nor its workers", function()
    local script = command.write [[
      local neap = require "neap"
      local pool = neap.pool { workers = 3 }
      local U = neap.VectorArray.ones(2 ^ 20 | 0, 1)
      local remote = pool:push(U)
      local V = remote:get(1)
      for _, s in ipairs(pool:status()) do print(s.pid) end
      io.stdout:flush()
      pool:apply_async(function(W) while true do W:scal(1) end end, remote)
      local stat = io.open("/proc/self/stat")
      os.execute("kill -9 " .. stat:read("n"))
    ]]
    dies(script)
  end)

  it("leave nothing behind when they are killed all at once, in the middle of sending", function()
    dies(command.write [[
      local neap = require "neap"
      local pool = neap.pool { workers = 3 }
      local U = neap.VectorArray.ones(2 ^ 20 | 0, 1)
      local pids = {}
      for w, s in ipairs(pool:status()) do
        pids[w] = s.pid
        print(s.pid)
      end
      io.stdout:flush()
      for w = 1, 3 do pool:kill(w, 19) end -- stopped: what is sent stays on the way
      for _ = 1, 20 do
        pool:apply_async(function(W) return W + W end, U)
        U:set(1, 1, 2)
      end
      local stat = io.open("/proc/self/stat")
      os.execute("kill -9 " .. table.concat(pids, " ") .. " " .. stat:read("n"))
    ]])
  end)

  it("leave their memory to those that read it on, and to nobody", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = pool:apply_only(function()
      local V = require "neap".VectorArray.full(3, 2 ^ 17 | 0, 2)
      V:set(1, 1, 4)
      return V
    end, 1)
    local before = listing()
    pool:kill(1)
    assert.same({ 4, 3 }, { U:get(1, 1), U:get(2 ^ 17 | 0, 2) })
    assert.equal(4, pool:apply(function(V) return V:get(1, 1) end, U)[1])
    assert.equal(before, listing())
  end)
end)
