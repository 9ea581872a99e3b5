-- The system has no more memory, descriptors or room on a disk: an error says so, nothing is lost.
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local lfs = require "lfs"
local neap = require "neap"

-- Runs Lua code with neap in the scope, after a shell command.
local function run(before, code)
  local path = command.write('local neap = require "neap"\n' .. code)
  local outcome = command.run(("%s; exec %%neap%% %s"):format(before, path))
  os.remove(path)
  return outcome
end

describe("a pool with a memory limit", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local function greedy_for_memory()
    local list = {}
    for i = 1, 1e9 do list[i] = { i } end
    return #list
  end

  it("raises where a worker wants more, and goes on with the same worker", function()
    if os.getenv("ASAN_OPTIONS") then return pending("the sanitizers take more memory") end
    local pool <close> = neap.pool { workers = 2, memory_limit = 256 << 20 }
    local kept <close> = pool:push { 7 }
    local pid = pool:status()[2].pid
    for _, f in ipairs { greedy_for_memory,
      function() return require "neap".VectorArray.zeros(1e8, 1) end,
      function() return ("x"):rep(1 << 30) end } do
      local ok, e = pcall(pool.apply_only, pool, f, 2)
      assert.is_false(ok)
      assert.equal("error", e.kind)
      assert.matches("not enough memory", e.message)
    end
    assert.equal(pid, pool:status()[2].pid)
    assert.equal(7, kept:get(2)[1])
    local results = pool:map(function(i)
      return #require "neap".VectorArray.zeros(1e6, 1) + i
    end, neap.range(1, 20))
    assert.equal(21, results[20])
  end)

  it("holds for a worker that replaces another", function()
    local pool <close> = neap.pool { workers = 1, memory_limit = 400 << 20 }
    pool:kill(1)
    local ok, e = pcall(pool.apply, pool, function() return ("x"):rep(1 << 30) end)
    assert.is_false(ok)
    assert.matches("not enough memory", e.message)
  end)

  it("is refused without processes, which alone can be limited", function()
    assert.error_matches(function() neap.pool { workers = 0, memory_limit = 400 << 20 } end,
      "^memory_limit: no worker process to limit with workers = 0: an inline pool runs in this "
        .. "process$")
    neap.pool { workers = 0, memory_limit = 0 }:close()
    local pool <close> = neap.pool { workers = 1 }
    assert.equal("inline", pool:apply_only(function()
      local inner <close> = require "neap".pool { workers = 2, memory_limit = 400 << 20 }
      return inner.transport
    end, 1)) -- that worker may have a limit, which holds for this pool as well
  end)

  it("refuses what is no number of bytes", function()
    for _, limit in ipairs { -1, 1.5, "1 GB" } do
      local ok, message = pcall(neap.pool, { workers = 1, memory_limit = limit })
      assert.is_false(ok)
      assert.matches("memory_limit", message)
    end
  end)
end)

describe("without descriptors", function()
  it("opening a pool says so, and leaves no process behind", function()
    local outcome = run("ulimit -n 60", [[
      print(pcall(neap.pool, { workers = 40 }))
      print(io.open("/proc/thread-self/children"):read "a" == "")
      local pool <close> = neap.pool { workers = 2 }
      print(#pool:apply(function() return 1 end))
    ]])
    assert.equal("", outcome.err)
    assert.matches("^false\t[^\n]*too many open files\ntrue\n2\n$", outcome.out)
  end)

  it("opening the first pool of a process says so, however few are left", function()
    for left = 1, 8 do
      local outcome = run("ulimit -n 60", ([[
        local files = {}
        while true do
          local file = io.open "/dev/null"
          if not file then break end
          files[#files + 1] = file
        end
        for i = 1, %d do table.remove(files):close() end
        local ok, e = pcall(neap.pool, { workers = 2 })
        for _, file in ipairs(files) do file:close() end
        print(ok, e)
        local pool <close> = neap.pool { workers = 2 }
        print(#pool:apply(function() return 1 end))
      ]]):format(left))
      assert.equal("", outcome.err)
      assert.matches("^false\t[^\n]*too many open files\n2\n$", outcome.out)
    end
  end)

  it("a call goes on as soon as there are some again", function()
    local outcome = run("ulimit -n 60", [[
      local pool <close> = neap.pool { workers = 2 }
      local kept <close> = pool:push { 5 }
      local files = {}
      while true do
        local file = io.open "/dev/null"
        if not file then break end
        files[#files + 1] = file
      end
      pool:kill(1)
      print(pcall(kept.get, kept, 1))
      for _, file in ipairs(files) do file:close() end
      print(kept:get(1)[1], kept:get(2)[1], #pool:apply(function() return 1 end))
    ]])
    assert.equal("", outcome.err)
    assert.matches("^false\t.*too many open files.*\n5\t5\t2\n$", outcome.out)
  end)
end)

describe("on a full disk", function()
  local has_mat = lfs.attributes(command.neap:match "^(.*)/" .. "/neap_mat.so") ~= nil
  local names = { "u.csv", "u.mtx", "u.npy", "u.txt" }
  if has_mat then names[#names + 1] = "u.mat" end
  table.sort(names)

  -- A small one of each is there, and a large one does not fit; then the small one is read again.
  local saves = [[
    local folder = table.remove(arg, 1)
    local checkpoint = require "neap.algorithms.checkpoint"
    local function training_set(n)
      local mus, steps = {}, {}
      for i = 1, n do mus[i], steps[i] = { a = { i } }, { index = i, err = 1 / i } end
      return mus, steps
    end
    local function diagonal(n)
      local at, x = {}, {}
      for i = 1, n do at[i], x[i] = i, 1 / i end
      return neap.SparseMatrix.from_triplets(n, n, at, at, x)
    end
    local small, large = neap.VectorArray.ones(10, 2), neap.VectorArray.random(100000, 2)
    local function save(path, is_large)
      if path:find "txt$" then
        checkpoint.write(path, training_set(is_large and 20000 or 2))
      elseif path:find "mtx$" then
        neap.save(path, diagonal(is_large and 40000 or 2))
      elseif path:find "mat$" then
        neap.save(path, { U = is_large and large or small })
      else
        neap.save(path, is_large and large or small)
      end
    end
    local function load(path)
      if path:find "txt$" then return #checkpoint.read(path, training_set(2), 1) end
      local object = neap.load(path)
      if path:find "mat$" then return math.min(object.U.rows, object.U.cols) end
      return path:find "mtx$" and object.rows or "read"
    end
    for _, name in ipairs(arg) do
      local path = folder .. "/" .. name
      save(path)
      print(name, pcall(save, path, true))
      print(name, "has", load(path))
    end
  ]]

  local function run_saves(before, folder)
    local path = command.write('local neap = require "neap"\n' .. saves)
    local outcome = command.run(("%s exec %%neap%% %s %s %s"):format(before, path, folder,
      table.concat(names, " ")))
    os.remove(path)
    return outcome
  end

  local function check(outcome, folder, reason)
    assert.equal("", outcome.err)
    for _, name in ipairs(names) do
      local pattern = ("%s\tfalse\t[^\n]*%s/%s[^\n]*%s"):format(name, folder, name, reason)
      assert.matches(pattern, outcome.out)
      assert.matches(("%s\thas\t%s\n"):format(name, name:find "[vy]$" and "read" or "2"),
        outcome.out)
    end
    local left = {}
    for name in lfs.dir(folder) do
      if name ~= "." and name ~= ".." then left[#left + 1] = name end
    end
    table.sort(left)
    assert.same(names, left) -- no temporary file
  end

  it("saving says so, and leaves what was there: too large a file", function()
    local folder, remove = command.folder()
    check(run_saves("ulimit -f 64;", folder), folder, "File too large")
    remove()
  end)

  local folder, remove = command.folder()
  local is_root = os.execute(("mount -t tmpfs -o size=256k tmpfs %s 2>/dev/null"):format(folder))
  if is_root then os.execute("umount " .. folder) end
  remove();
  (is_root and it or pending)("saving says so, and leaves what was there: no space", function()
    local mounted, remove_mounted = command.folder()
    assert(os.execute(("mount -t tmpfs -o size=256k tmpfs %s"):format(mounted)))
    local outcome = run_saves("", mounted)
    local ok, message = pcall(check, outcome, mounted, "No space left")
    os.execute("umount " .. mounted)
    remove_mounted()
    if not ok then error(message, 0) end
  end)
end)
