-- The driver ends, by whatever signal or in whatever way: its workers end with it.
local clock = require "host.clock"
local command = require "spec.support.command"
local lfs = require "lfs"
local processes = require "spec.support.processes"

local SHARED = lfs.attributes("/dev/shm", "mode") == "directory" and "/dev/shm" or "/tmp"

-- Starts a driver; its first line of output is to be its workers' process ids.
local function start(code)
  local path = command.write(code)
  local output = assert(io.popen("exec " .. command.quote(command.neap) .. " " .. path
    .. " 2>&1 </dev/null"))
  local pids = {}
  for pid in output:read "l":gmatch "%d+" do pids[#pids + 1] = math.tointeger(pid) end
  os.remove(path)
  return output, pids
end

local PROLOGUE = [[
  local neap = require "neap"
  local file <close> = assert(io.open("/proc/self/stat"))
  local pids = { file:read "n" }
  local function tell(pool)
    for _, s in ipairs(pool:status()) do pids[#pids + 1] = s.pid end
    print(table.concat(pids, " "))
    io.stdout:flush()
  end
]]

describe("workers of a driver that is killed", function()
  local names
  before_each(function() names = processes.names(SHARED) end)
  after_each(function() assert.same(names, processes.names(SHARED)) end)

  local work = {
    ["in a loop"] = "pool:apply(function() while true do end end)",
    ["in native code"] = [[pool:apply(function()
      string.rep("a", 40):find(("a*"):rep(40) .. "b")
    end)]],
    ["in a map of many items"] = "pool:map(function(i) return i * i end, neap.range(1, 1e12))",
    ["waiting for work"] = "while true do end",
    ["stopped"] = "pool:kill(1, 19) pool:apply(function() end)",
  }
  for name, line in pairs(work) do
    for _, signal in ipairs { "KILL", "TERM" } do
      it(("are gone within a second after SIG%s, %s"):format(signal, name), function()
        local output, pids = start(PROLOGUE .. [[
          local pool = neap.pool { workers = 2 }
          local U <close> = pool:push(neap.VectorArray.ones(100000, 4))
          tell(pool)
        ]] .. line)
        assert.equal(3, #pids)
        os.execute "sleep 0.05" -- into the middle of the work
        assert(os.execute(("kill -s %s %d"):format(signal, pids[1])))
        assert.same({}, processes.remaining(pids, 1))
        output:close()
      end)
    end
  end
end)

describe("a driver that ends with its pool open", function()
  -- What it does last, and its exit code.
  local ends = {
    { "the script's end", "", 0 },
    { "os.exit", "os.exit(3)", 3 },
    { "os.exit that closes the state", "os.exit(4, true)", 4 },
    { "an error", "error('gone')", 1, "gone" },
    { "an error in a worker", "pool:apply(function() error('gone') end)", 1, "gone" },
    { "a call under way", "local f = pool:apply_async(function() while true do end end)", 0 },
    { "os.exit with a call under way",
      "pool:apply_async(function() while true do end end) os.exit(5)", 5 },
    { "a stopped worker", "pool:kill(1, 19)", 0 },
    { "a worker stuck in native code, and ignoring SIGTERM", [[
      pool:apply_async(function() os.execute("trap '' TERM; sleep 20") end)
      pool:apply_async(function() string.rep("a", 40):find(("a*"):rep(40) .. "b") end)]], 0 },
  }
  for _, case in ipairs(ends) do
    local name, line, code, message = table.unpack(case)
    it(("leaves no worker, and keeps its exit code: %s"):format(name), function()
      local before = clock.now()
      local output, pids = start(PROLOGUE .. [[
        local pool = neap.pool { workers = 2 }
        local remote = pool:push { 1 }
        tell(pool)
      ]] .. line)
      local text = output:read "a"
      local _, _, actual = output:close()
      assert.same({}, processes.remaining(pids, 1))
      assert.equal(code, actual)
      if message then assert.matches(message, text) else assert.equal("", text) end
      assert.is_true(clock.now() - before < 8)
    end)
  end
end)
