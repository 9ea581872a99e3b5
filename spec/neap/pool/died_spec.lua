-- What the error says when a worker has died.
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local lfs = require "lfs"
local neap = require "neap"

local function own_pid()
  local file <close> = assert(io.open "/proc/self/stat")
  return file:read "n"
end

local function kill_self(name, pid)
  io.stderr:write("one\ntwo\n")
  os.execute(("kill -s %s %d"):format(name, pid()))
  while true do end -- until it comes
end

-- A control group that may have so many bytes; or nil, where that is not ours to make.
local function control_group(bytes)
  local v1 = lfs.attributes("/sys/fs/cgroup/memory", "mode") == "directory"
  local folder = (v1 and "/sys/fs/cgroup/memory" or "/sys/fs/cgroup") .. "/neap_spec_" .. own_pid()
  if not lfs.mkdir(folder) then return nil end
  local file = io.open(folder .. (v1 and "/memory.limit_in_bytes" or "/memory.max"), "w")
  if file and file:write(bytes) and file:close() then return folder end
  lfs.rmdir(folder)
  return nil
end

describe("the error of a worker that has died", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local function error_of(f, ...)
    local pool <close> = neap.pool { workers = 2 }
    local pids = pool:status()
    local ok, e = pcall(pool.apply_only, pool, f, 2, ...)
    assert.is_false(ok)
    assert.equal("died", e.kind)
    assert.equal(2, e.worker)
    assert.equal(1, pool:apply_only(function() return 1 end, 2)) -- the pool is whole again
    return e, pids[2].pid
  end

  it("has the signal, the process, its host and its memory", function()
    local e, pid = error_of(kill_self, "KILL", own_pid)
    assert.equal(9, e.signal)
    assert.is_nil(e.exit_code)
    assert.is_true(e.pid > pid) -- it was tried once more, in another process
    local name <close> = assert(io.popen "hostname")
    assert.equal(name:read "l", e.host)
    assert.is_true(e.peak_memory > 1e6)
    assert.is_false(e.out_of_memory)
    assert.equal("worker 2 died (signal 9, Killed)", e.message)
  end)

  it("is one for all workers that have ended in the same way", function()
    local pool <close> = neap.pool { workers = 3 }
    local ok, e = pcall(pool.apply, pool, function() os.exit(3) end)
    assert.is_false(ok)
    assert.equal("worker 1 died (exit code 3)", e.message)
    assert.equal(2, e.others)
    assert.matches("on worker 1 of [^\n]* %(and 2 more like it%)\n", tostring(e))
    local codes <close> = pool:scatter_list { 3, 4, 3 }
    ok, e = pcall(pool.apply, pool, function(part) os.exit(part[1]) end, codes)
    assert.is_false(ok)
    assert.equal(1, e.others)
  end)

  it("has the exit code of one that ends by itself", function()
    local e = error_of(function() os.exit(3) end)
    assert.equal(3, e.exit_code)
    assert.is_nil(e.signal)
    assert.equal("worker 2 died (exit code 3)", e.message)
  end)

  it("has the most memory that it had", function()
    local e = error_of(function()
      local list = {}
      for i = 1, 4e6 do list[i] = i end -- 64 MiB at least
      assert(#list > 0)
      os.exit(1)
    end)
    assert.is_true(e.peak_memory > 64 * 2 ^ 20)
    assert.is_true(e.peak_memory < 2 ^ 30)
  end)

  it("has its last lines of standard error, and the last line of Lua", function()
    if os.getenv("ASAN_OPTIONS") then return pending("the sanitizers take these signals") end
    for _, name in ipairs { "SEGV", "ABRT", "BUS", "FPE", "ILL" } do
      local e = error_of(kill_self, name, own_pid)
      assert.matches("^one\ntwo\nneap: signal %d+ at .-died_spec.lua:14\n", e.stderr)
      assert.matches("died_spec.lua:14$", e.last_line)
      assert.matches("last in Lua at .-died_spec.lua:14\n", tostring(e))
    end
    local e = error_of(function()
      for i = 1, 1000 do io.stderr:write("line ", i, "\n") end
      os.exit(1)
    end)
    assert.matches("^line 991\n.*line 1000\n$", e.stderr)
    assert.is_nil(e.last_line)
  end)

  it("says where a coroutine was", function()
    if os.getenv("ASAN_OPTIONS") then return pending("the sanitizers take these signals") end
    local e = error_of(function(f, pid)
      coroutine.wrap(function() f("SEGV", pid) end)()
    end, kill_self, own_pid)
    assert.matches("died_spec.lua:14$", e.last_line)
  end)

  it("does not leave behind what the worker had started", function()
    local path = os.tmpname()
    error_of(function(p)
      os.execute(("sleep 60 & echo $! >%s; kill -9 $PPID"):format(p))
      while true do end
    end, path)
    local file <close> = assert(io.open(path))
    local pid = file:read "n"
    os.remove(path)
    assert.same({}, require "spec.support.processes".remaining({ pid }, 1))
  end)

  local folder = control_group(200 << 20)
  if folder then lfs.rmdir(folder) end
  (folder and it or pending)("says that it was likely out of memory", function()
    local group = assert(control_group(200 << 20))
    local script = command.write [[
      local neap = require "neap"
      local pool <close> = neap.pool { workers = 1 }
      local ok, e = pcall(pool.apply, pool, function()
        local list = {}
        for i = 1, 1e9 do list[i] = { i } end
      end)
      print(ok, e.message, e.out_of_memory, e.peak_memory > 100 * 2 ^ 20)
      print(pool:apply(function() return "well" end)[1])
    ]]
    local outcome = command.run(("echo $$ >%s/cgroup.procs; exec %%neap%% %s")
      :format(group, script))
    os.remove(script)
    lfs.rmdir(group)
    assert.equal("false\tworker 1 died (signal 9, Killed, likely out of memory)\ttrue\ttrue\n"
      .. "well\n", outcome.out)
  end)
end)

describe("an item that kills its worker", function()
  local path
  before_each(function() path = command.write "" end)
  after_each(function() os.remove(path) end)

  -- The item that is bad ends its worker, and leaves a mark in the file.
  local function work(mu, i, kw)
    if i == kw.bad then
      local file = assert(io.open(kw.path, "a"))
      file:write("x")
      file:close()
      os.execute("kill -9 " .. kw.pid())
      while true do end
    end
    return mu.a[1] + i
  end

  local function map(view, bad)
    local pool <close> = neap.pool { workers = 2 }
    local mus = {}
    for i = 1, 40 do mus[i] = { a = { 100 }, name = "mu" } end
    local results = table.pack(pcall(pool.map, pool:with(view), work, mus, neap.range(1, 40),
      neap.kw { bad = bad, path = path, pid = own_pid }))
    assert.equal(1, pool:apply(function() return 1 end)[1])
    return table.unpack(results)
  end

  local function kills()
    local file <close> = assert(io.open(path))
    return #file:read "a"
  end

  for retries = 0, 3 do
    for _, chunk in ipairs { 1, 10, 40 } do
      it(("does so %d times in chunks of %d, and is named"):format(retries + 1, chunk), function()
        local ok, e = map({ retries = retries, chunk = chunk }, 17)
        assert.is_false(ok)
        assert.equal("died", e.kind)
        assert.equal(17, e.item)
        assert.same({ { a = { 100 }, name = "mu" }, 17 }, e.arguments)
        assert.matches('item 17 = {a = {100}, name = "mu"}, 17\n', tostring(e), 1, true)
        assert.equal(retries + 1, kills())
      end)
    end
  end

  it("leaves the others their results where errors are collected", function()
    local ok, results = map({ on_error = "collect", chunk = 20, retries = 0 }, 17)
    assert.is_true(ok)
    for i = 1, 40 do
      if i ~= 17 then assert.equal(100 + i, results[i]) end
    end
    assert.equal("died", results[17].kind)
    assert.equal(1, kills())
  end)
end)
