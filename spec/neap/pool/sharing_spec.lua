-- Large arrays are the same memory on both sides, by inode, until somebody writes; then only pages.
local array = require "host.array"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local neap = require "neap"
local VectorArray = neap.VectorArray

local DIM, LEN = 2 ^ 16 | 0, 4 -- 2 MiB
local PAGE = 4 -- KiB

--- The segments that this process has mapped. Runs on workers, too.
---@return table<string, { size: integer, own: integer }>  inode -> KiB mapped, KiB in own pages
local function segments()
  local found, segment = {}, nil
  for line in io.lines "/proc/self/smaps" do
    local range, inode = line:match "^(%x+%-%x+) %S+ %x+ %S+ (%d+)"
    if range then
      segment = nil
      if line:find("/memfd:neap ", 1, true) then
        segment = found[inode] or { size = 0, own = 0 }
        found[inode] = segment
      end
    elseif segment then
      segment.size = segment.size + (math.tointeger(line:match "^Size: +(%d+) kB") or 0)
      segment.own = segment.own + (math.tointeger(line:match "^Anonymous: +(%d+) kB") or 0)
    end
  end
  return found
end

--- Makes an array, and says which segment is its.
local function make(dim, len)
  collectgarbage() -- also what waits to be used again
  local before = segments()
  local U = VectorArray.full(3, dim, len)
  for inode in pairs(segments()) do
    if not before[inode] then return U, inode end
  end
  error "no segment of its own"
end

--- Reads all of it, on a worker: the segments there, and what the entries add up to.
local function read(look, ...)
  local sum = 0
  for _, V in ipairs { ... } do
    for _, x in ipairs(V:norm2()) do sum = sum + x end
  end
  return { look(), sum }
end

local SUM = 9 * DIM * LEN

describe("a large array", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  --- The worker had that segment, wrote no page of it, and read what is in the array.
  local function same_memory(inode, seen, sum, least_size)
    assert.equal(sum or SUM, seen[2])
    local segment = seen[1][inode]
    assert.is_truthy(segment, "the worker has mapped other memory")
    assert.equal(0, segment.own)
    assert.is_true(segment.size >= (least_size or 8 * DIM * LEN // 1024))
  end

  it("is the same memory for workers, whatever the way it takes", function()
    local pool <close> = neap.pool { workers = 2 }
    local ways = {
      push = function(U)
        local remote <close> = pool:push(U)
        return pool:apply(read, segments, remote)
      end,
      ["push in a table"] = function(U)
        local remote <close> = pool:push { a = { U } }
        return pool:apply(function(f, look, t) return f(look, t.a[1]) end, read, segments, remote)
      end,
      argument = function(U) return pool:apply(read, segments, U) end,
      ["argument of one"] = function(U) return { pool:apply_only(read, 2, segments, U) } end,
      ["field of an argument"] = function(U)
        return pool:apply(function(f, look, t) return f(look, t.x.U) end, read, segments,
          { x = { U = U } })
      end,
      upvalue = function(U)
        return pool:apply(function(f, look) return f(look, U) end, read, segments)
      end,
      ["keyword argument"] = function(U)
        return pool:map(function(_, kw) return kw.f(kw.look, kw.U) end, { 1, 2, 3 },
          neap.kw { f = read, look = segments, U = U })
      end,
      ["submitted"] = function(U) return { pool:submit(read, segments, U):get() } end,
      ["frozen"] = function(U) return pool:apply(read, segments, U:freeze()) end,
      ["sent again"] = function(U)
        pool:apply(read, segments, U)
        return pool:apply(read, segments, U)
      end,
      ["lazy copy"] = function(U) return pool:apply(read, segments, (U:copy())) end,
      ["view of all"] = function(U) return pool:apply(read, segments, U:slice(1, LEN)) end,
    }
    for name, way in pairs(ways) do
      local U <close>, inode = make(DIM, LEN)
      for _, seen in ipairs(way(U)) do
        local ok, message = pcall(same_memory, inode, seen)
        assert.is_true(ok, name .. ": " .. tostring(message))
      end
      assert.equal(SUM, read(segments, U)[2])
      pool:apply(function() collectgarbage() end)
    end
  end)

  it("is the same memory in views, as much of it as they cover", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close>, inode = make(DIM, LEN)
    for _, view in ipairs { U[3], U:slice(2, 3) } do
      local seen = pool:apply(read, segments, view)[1]
      local size = 8 * DIM * #view // 1024
      same_memory(inode, seen, 9 * DIM * #view, size)
      assert.is_true(seen[1][inode].size <= size + 2 * PAGE)
      pool:apply(function() collectgarbage() end)
    end
  end)

  it("is scattered and gathered as what it is", function()
    for _, copy in ipairs { true, false } do
      local pool <close> = neap.pool { workers = 2 }
      local U <close>, inode = make(DIM, LEN)
      local remote <close> = pool:scatter_array(U, { copy = copy })
      assert.equal(copy and LEN or 0, #U)
      for _, seen in ipairs(pool:apply(read, segments, remote)) do
        same_memory(inode, seen, SUM // 2, 4 * DIM * LEN // 1024)
      end
      local before, gathered <close> = segments(), pool:gather_array(remote)
      assert.equal(SUM, read(segments, gathered)[2])
      for other, segment in pairs(segments()) do
        assert.is_truthy(before[other], "gathered into other memory")
        assert.equal(0, segment.own)
      end
    end
  end)

  it("is the same memory when a worker returns it, keeps it, and when it is sent on", function()
    local pool <close> = neap.pool { workers = 2 }
    local kept <close> = pool:keep(function(dim, len)
      return require "neap".VectorArray.full(3, dim, len)
    end, DIM, LEN)
    local theirs = pool:apply_only(segments, 1)
    local inode = next(theirs)
    assert.is_nil(next(theirs, inode))
    local V <close> = kept:get(1) -- from 1 to here
    assert.same({ [inode] = { size = theirs[inode].size, own = 0 } }, segments())
    assert.equal(SUM, read(segments, V)[2])
    local W <close> = pool:apply_only(function(X) return X end, 2, V) -- from here to 2 and back
    local mine = segments()
    assert.equal(2 * theirs[inode].size, mine[inode].size)
    assert.is_nil(next(mine, inode))
    assert.equal(SUM, read(segments, W)[2])
    same_memory(inode, pool:apply_only(read, 2, segments, W))
  end)

  it("is one copy for all until they write, and then only the pages that they write", function()
    local pool <close> = neap.pool { workers = 3 }
    local U <close>, inode = make(DIM, LEN)
    local remote <close> = pool:push(U)
    for _, seen in ipairs(pool:apply(read, segments, remote)) do same_memory(inode, seen) end
    pool:apply_only(function(V)
      V:set(1, 1, 5)
      V:set(2, 1, 5)      -- on the same page
      V[4]:set(V.dim, 1, 5) -- the last one
    end, 2, remote)
    local own = {}
    for w, found in ipairs(pool:apply(segments)) do own[w] = found[inode].own end
    assert.same({ 0, 2 * PAGE, 0 }, own)
    U:set(DIM // 2, 2, 7)
    assert.equal(PAGE, segments()[inode].own)
    assert.equal(3, remote:get(1):get(DIM // 2, 2))
    collectgarbage()
    assert.same({ 5, 5, 5 }, { remote:get(2):get(1, 1), remote:get(2):get(2, 1),
      remote:get(2):get(DIM, LEN) })
  end)

  it("that is written all over moves to other memory, and leaves the others theirs", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close>, inode = make(DIM, LEN)
    local remote <close> = pool:push(U)
    U:scal(2)
    for other, segment in pairs(segments()) do
      if other ~= inode then assert.is_true(segment.size >= 2048) end
      assert.equal(0, segment.own) -- nothing was copied page by page
    end
    same_memory(inode, pool:apply(read, segments, remote)[1])
  end)
end)

describe("many large arrays", function()
  it("have a descriptor each while the system grants them: the soft limit is raised", function()
    local script = command.write [[
      local neap = require "neap"
      local leaks = require "spec.support.leaks"
      local list = {}
      for i = 1, 600 do list[i] = neap.VectorArray.full(i, 2 ^ 15 | 0, 1) end
      print(leaks.segments())
      local pool <close> = neap.pool { workers = 1 }
      local sum = pool:apply(function(arrays)
        local total = 0
        for _, U in ipairs(arrays) do total = total + U:get(1, 1) end
        return total
      end, list)[1]
      print(sum)
    ]]
    local outcome = command.run("ulimit -Sn 100; ulimit -Hn 4000; exec %neap% " .. script)
    os.remove(script)
    assert.equal("", outcome.err)
    assert.equal("600\n180300.0\n", outcome.out)
  end)
end)

describe("memory of freed arrays", function()
  it("is given back where it would keep a worker from its limit", function()
    if os.getenv "ASAN_OPTIONS" then return pending "the sanitizers take more memory" end
    local pool <close> = neap.pool { workers = 1, memory_limit = 400 << 20 }
    local sizes = pool:apply(function()
      local neap_, idle = require "neap", require "host.array".idle_bytes
      neap_.VectorArray.zeros(1 << 20, 12):close() -- 96 MiB
      local kept = idle()
      local U = neap_.VectorArray.zeros(1 << 20, 45) -- 360 MiB: beside 96 they would be too many
      local found = { kept, idle(), U:get(1, 45) }
      U:close()
      return found
    end)[1]
    assert.is_true(sizes[1] >= 96 << 20)
    assert.same({ 0, 0 }, { sizes[2], sizes[3] })
  end)

  it("counts as idle, and not as that of blocks", function()
    collectgarbage()
    local count, bytes = array.blocks()
    VectorArray.zeros(DIM, LEN):close()
    assert.same({ count, bytes }, { array.blocks() })
    assert.is_true(array.idle_bytes() >= 8 * DIM * LEN)
    collectgarbage()
    assert.equal(0, array.idle_bytes())
  end)
end)
