-- Large arrays cross without a copy, and yet nobody sees what another writes.
local neap = require "neap"
local leaks = require "spec.support.leaks"
local pools = require "spec.support.pools"
local VectorArray = neap.VectorArray

local PAGE = 4096 // 8 -- numbers in a page
-- Arrays below are large enough to be shared (256 KiB), with vectors that end inside pages.
local DIM, LEN = 9 * PAGE + 77, 8

--- A shared array whose entry (i, j) is i + 1000000 j.
local function numbered(dim, len)
  local U = VectorArray.zeros(dim, len)
  for j = 1, len do
    for i = 1, dim, 61 do U:set(i, j, i + 1000000 * j) end
  end
  return U
end

--- The same contents in memory that is shared with nobody: a list of single vectors.
local function shadow_of(U)
  local list = {}
  for j = 1, #U do list[j] = U[j]:copy() end
  return list
end

local function copy_shadow(shadow)
  local list = {}
  for j, u in ipairs(shadow) do list[j] = u:copy() end
  return list
end

local EXACT = { rtol = 0, atol = 0 }

local function same(shadow, U)
  if #shadow ~= #U then return false end
  for j, u in ipairs(shadow) do
    if not U[j]:almost_equal(u, EXACT) then return false end
  end
  return true
end

--- Runs on a worker, where the upvalues above are not tables of the spec but copies.
local function same_there(V, shadow)
  for j, u in ipairs(shadow) do
    if not V[j]:almost_equal(u, { rtol = 0, atol = 0 }) then return false end
  end
  return #V == #shadow
end

--- Bytes of shared memory that this process has mapped.
local function shared_bytes()
  local file <close> = assert(io.open("/proc/self/maps"))
  local sum = 0
  for line in file:lines() do
    local first, last = line:match("^(%x+)%-(%x+) .*/memfd:neap ")
    if first then sum = sum + tonumber(last, 16) - tonumber(first, 16) end
  end
  return sum
end

--- Entries at the edges of pages, of vectors and of the array.
local function edge(random)
  local at = ({ 1, PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE + 1, DIM - 1, DIM })[random(7)]
  return at, random(LEN)
end

for _, kind in ipairs(pools) do
  describe("arrays that are shared by " .. kind.name, function()
    local pool, check_leaks
    leaks.watch(before_each, function(f) check_leaks = f end)
    setup(function() kind.open():close() end) -- the event loop stays open
    before_each(function() pool = kind.open() end)
    after_each(function()
      pool:close()
      pool = nil
      check_leaks()
    end)

    it("keep their contents when the driver goes on writing", function()
      local U = numbered(DIM, LEN)
      local early, before = U[2], shadow_of(U)
      local remote <close> = pool:push(U)
      local late = U:slice(2, 3)
      U:set(PAGE, 1, -1)
      early:set(PAGE + 1, 1, -2)
      late:scal(3)
      assert.equal(-1, U:get(PAGE, 1))
      assert.equal(-6, U:get(PAGE + 1, 2))
      assert.equal(3 * before[3]:get(1, 1), U:get(1, 3))
      for w = 1, pool.workers do
        assert.is_true(pool:apply_only(same_there, w, remote, before))
        assert.is_true(same(before, remote:get(w)))
      end
    end)

    it("keep their contents when workers write", function()
      local U = numbered(DIM, LEN)
      local before = shadow_of(U)
      local remote <close> = pool:push(U)
      local seen = pool:apply(function(V, at)
        local view = V[1]
        V:set(at, 1, -neap.VectorArray.zeros(1, 1).dim)
        view:set(at + 1, 1, -2)
        V:slice(8, 8):scal(0)
        return V
      end, remote, PAGE)
      assert.is_true(same(before, U))
      for w = 1, pool.workers do
        local after = copy_shadow(before)
        after[1]:set(PAGE, 1, -1)
        after[1]:set(PAGE + 1, 1, -2)
        after[8]:scal(0)
        assert.is_true(same(after, seen[w]))
        assert.is_true(same(after, remote:get(w)))
      end
    end)

    it("are sent as they are at that time, however often", function()
      local U = numbered(DIM, LEN)
      local remotes, shadows = {}, {}
      for k = 1, 6 do
        remotes[k], shadows[k] = pool:push(U), shadow_of(U)
        U:set(k * PAGE, k, -k)
        if k == 4 then U:scal(2) end
      end
      for k = 1, 6 do
        assert.is_true(pool:apply(same_there, remotes[k], shadows[k])[pool.workers])
        remotes[k]:remove()
      end
    end)

    it("come back from a worker and belong to the driver", function()
      local results = pool:apply(function(dim, len)
        _G.kept = neap.VectorArray.ones(dim, len)
        return _G.kept, _G.kept:slice(2, 5)
      end, DIM, LEN)
      local U = results[1]
      U:set(1, 1, 5)
      pool:apply(function() _G.kept:set(2, 1, 7) end)
      assert.same({ 5, 1 }, { U:get(1, 1), U:get(2, 1) })
      assert.same({ 1, 7 }, { table.unpack(pool:apply_only(function()
        return { _G.kept:get(1, 1), _G.kept:get(2, 1) }
      end, 1)) })
      U:append(U)
      assert.equal(2 * LEN, #U)
      pool:apply(function() _G.kept = nil end)
    end)

    it("are sent on, with what has been written since", function()
      local U = numbered(DIM, LEN)
      local there = pool:apply_only(function(V) return V end, 1, U)
      local shadow = shadow_of(U)
      assert.is_true(same(shadow, there))
      there:set(DIM, LEN, -1)
      shadow[LEN]:set(DIM, 1, -1)
      local again = pool:apply_only(function(V, at)
        V:set(at, 1, -3)
        return V
      end, pool.workers, there, 2 * PAGE)
      shadow[1]:set(2 * PAGE, 1, -3)
      assert.is_true(same(shadow, again))
      assert.is_false(same(shadow, there))
    end)

    it("cross as views, of which only what they cover is mapped", function()
      local U = numbered(20 * DIM, LEN)
      local function look(mapped, a, b, c)
        local bytes = mapped()
        a:scal(-1)
        return { bytes, #a, #b, #c, b:get(1, 1), c:get(1, 1), c:get(1, 2) }
      end
      local results = pool:apply(look, shared_bytes, U:slice(3, 6), U[4], U[{ 8, 1 }])
      for w = 1, pool.workers do
        assert.same({ 4, 1, 2, -4000001, 8000001, 1000001 }, table.move(results[w], 2, 7, 1, {}))
        -- 4 vectors, 1 of them and 2 are 7 at most: each time up to two pages more;
        -- not the 8 and a copy of 2.
        if not kind.is_inline then
          assert.is_true(results[w][1] <= 7 * 20 * DIM * 8 * 1.125 + 6 * 4096)
        end
      end
      assert.equal(3000001, U:get(1, 3))
    end)

    it("are the same after scatter and gather, written or not", function()
      local U = numbered(DIM, LEN)
      local shadow = shadow_of(U)
      local remote <close> = pool:scatter_array(U)
      assert.is_true(same(shadow, pool:gather_array(remote)))
      pool:apply(function(part, at)
        if #part > 0 then part:set(at, #part, -1) end
      end, remote, DIM)
      local gathered = pool:gather_array(remote)
      assert.is_true(same(shadow, U))
      assert.equal(-1, gathered:get(DIM, LEN))
      gathered:set(1, LEN, 8)
      pool:apply(function(part) part:scal(2) end, remote)
      assert.equal(8, gathered:get(1, LEN))
      assert.equal(-2, pool:gather_array(remote):get(DIM, LEN))
    end)

    it("leave the driver with nothing where they are not copied", function()
      local U = numbered(DIM, LEN)
      local shadow = shadow_of(U)
      local remote <close> = pool:scatter_array(U, { copy = false })
      assert.equal(0, #U)
      assert.is_true(same(shadow, pool:gather_array(remote)))
    end)

    it("stay with the driver where they could not be scattered", function()
      local U = numbered(DIM, LEN)
      pool:close()
      assert.has_error(function() return pool:scatter_array(U, { copy = false }) end)
      assert.equal(LEN, #U)
    end)

    it("of every kind cross: matrices and sparse matrices too", function()
      local M = neap.Matrix.zeros(300, 200)
      M:set(300, 200, 4)
      local n, rows, values = 40000, {}, {}
      for i = 1, n do rows[i], values[i] = i, i end
      local A = neap.SparseMatrix.from_triplets(n, n, rows, rows, values)
      local results = pool:apply(function(m, a)
        m:set(1, 1, 9)
        return m, a, a:apply(neap.VectorArray.ones(a.cols, 1)):get(7, 1)
      end, M, A)
      M:set(1, 1, 5)
      assert.same({ 5, 4 }, { M:get(1, 1), M:get(300, 200) })
      assert.equal(n, A.nnz)
      assert.is_truthy(results)
    end)

    it("hold what a model of them says, whatever is done in whatever order", function()
      for seed = 1, 4 do
        math.randomseed(seed)
        local random = math.random
        local mine = { { U = numbered(DIM, LEN) } }
        mine[1].shadow = shadow_of(mine[1].U)
        local theirs = {}
        local function pick() return mine[random(#mine)] end
        local function add(U, shadow)
          if #mine > 5 then table.remove(mine, random(#mine)) end
          mine[#mine + 1] = { U = U, shadow = shadow, view = U:slice(1, #U) }
        end
        local steps = {
          function()
            local a, i, j = pick(), edge(random)
            local through = a.view and random(2) == 1 and a.view or a.U
            through:set(i, j, seed + i)
            a.shadow[j]:set(i, 1, seed + i)
          end,
          function()
            local a = pick()
            a.U:scal(2)
            for _, u in ipairs(a.shadow) do u:scal(2) end
          end,
          function()
            local a = pick()
            add(a.U:copy(), copy_shadow(a.shadow))
          end,
          function()
            local a, r = pick(), {}
            r.remote = pool:push(a.U)
            for w = 1, pool.workers do r[w] = copy_shadow(a.shadow) end
            if #theirs > 3 then table.remove(theirs, random(#theirs)).remote:remove() end
            theirs[#theirs + 1] = r
          end,
          function()
            local r, w, i, j = theirs[random(#theirs)], random(pool.workers), edge(random)
            if not r then return end
            pool:apply_only(function(V, a, b, x) V:set(a, b, x) end, w, r.remote, i, j, -i)
            r[w][j]:set(i, 1, -i)
          end,
          function()
            local r, w = theirs[random(#theirs)], random(pool.workers)
            if not r then return end
            pool:apply_only(function(V) V:scal(-1) end, w, r.remote)
            for _, u in ipairs(r[w]) do u:scal(-1) end
          end,
          function()
            local r, w = theirs[random(#theirs)], random(pool.workers)
            if r then add(r.remote:get(w), copy_shadow(r[w])) end
          end,
          function()
            local a, i, j = pick(), edge(random)
            local V = pool:apply_only(function(V, k, l)
              V:set(k, l, 0.5)
              return V
            end, random(pool.workers), a.U, i, j)
            local shadow = copy_shadow(a.shadow)
            shadow[j]:set(i, 1, 0.5)
            add(V, shadow)
          end,
          function()
            local a = pick()
            local remote <close> = pool:scatter_array(a.U)
            add(pool:gather_array(remote), copy_shadow(a.shadow))
          end,
          function() collectgarbage() end,
          function() pool:apply(function() collectgarbage() end) end,
        }
        for _ = 1, 60 do
          local step = random(#theirs == 0 and 4 or #steps)
          steps[step]()
        end
        for _, a in ipairs(mine) do assert.is_true(same(a.shadow, a.U)) end
        for _, r in ipairs(theirs) do
          for w = 1, pool.workers do
            assert.is_true(pool:apply_only(same_there, w, r.remote, r[w]))
          end
          r.remote:remove()
        end
      end
    end)
  end)
end

describe("a worker that takes nothing up", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  it("gets all arrays, in order, once it does, and holds up nobody meanwhile", function()
    local pool <close> = neap.pool { workers = 2 }
    local arrays = {}
    for i = 1, 40 do arrays[i] = VectorArray.full(i, DIM, LEN) end
    local STOP, CONT = 19, 18
    pool:kill(1, STOP)
    local futures = {}
    for k = 1, 600 do -- more than a socket holds
      futures[k] = pool:apply_async(function(U, i)
        _G.seen = (_G.seen or 0) + 1
        return U:get(i, 1) + 1000 * _G.seen
      end, arrays[k % 40 + 1], k)
    end
    local here <close> = neap.pool { workers = 1 }
    assert.equal(7, here:apply(function(U) return U:get(1, 1) end, arrays[7])[1])
    pool:kill(1, CONT)
    for k = 1, 600 do
      local expected = k % 40 + 1 + 1000 * k
      assert.same({ expected, expected }, { table.unpack(futures[k]:get()) })
    end
  end)
end)

describe("an array that was removed after a map used it", function()
  it("leaves the workers with the next call, whether or not the collector has run", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = pool:push(VectorArray.ones(DIM, LEN))
    collectgarbage "stop"
    pool:map(function(i, kw) return kw.U:get(1, 1) + i end, { 1, 2, 3 }, neap.kw { U = U })
    U:remove()
    local bytes = pool:apply(function(count)
      collectgarbage()
      return count()
    end, shared_bytes)
    collectgarbage "restart"
    assert.same({ 0, 0, n = 2 }, bytes)
  end)
end)
