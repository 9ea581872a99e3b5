-- A process that has all the mappings the kernel grants it: an error says so, nothing is lost.
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local neap = require "neap"
local VectorArray = neap.VectorArray

package.cpath = command.neap:match "^(.*)/" .. "/?.so;" .. package.cpath -- for kernel
local kernel = require "kernel"

local DIM = 2 ^ 17 | 0 -- 1 MiB
local EXACT = { rtol = 0, atol = 0 }
local MESSAGE = "not enough memory for an array of %.1f MiB: "
  .. "this process may map no more (see vm.max_map_count and ulimit -v)"

local function text(mib) return MESSAGE:format(mib) end

--- Calls f while this process can map nothing; what pcall returns.
local function crowded(f)
  collectgarbage()
  local room = kernel.crowd()
  local results = table.pack(pcall(f))
  kernel.disperse(room)
  return table.unpack(results, 1, results.n)
end

local is_sanitized = os.getenv "ASAN_OPTIONS" ~= nil -- the sanitizer itself needs mappings
local run = is_sanitized and pending or it

describe("an array in a process that may map no more", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local function refused(mib, f)
    local ok, message = crowded(f)
    assert.is_false(ok)
    local found = tostring(message):find(text(mib), 1, true)
    assert.is_truthy(found, tostring(message))
  end

  local function is_full(U, x)
    return U:almost_equal(VectorArray.full(x, U.dim, #U), EXACT)
  end

  run("is not made", function()
    refused(2, function() return VectorArray.zeros(DIM, 2) end)
    local V <close> = VectorArray.zeros(DIM, 2)
    assert.is_true(is_full(V, 0))
  end)

  run("that was sent keeps its entries when its pages cannot be mapped to be written", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close> = VectorArray.full(3, DIM, 4)
    local view = U[2]
    local remote <close> = pool:push(U)
    refused(4, function() U:set(1, 1, 5) end) -- page by page
    refused(4, function() U:scal(2) end)      -- all of it
    refused(4, function() view:axpy(1, U[1]) end)
    assert.is_true(is_full(U, 3) and #U == 4)
    assert.is_true(is_full(remote:get(1), 3))
    U:set(1, 1, 5)
    view:scal(2)
    assert.same({ 5, 6, 3 }, { U:get(1, 1), U:get(1, 2), U:get(1, 3) })
    assert.is_true(is_full(remote:get(1), 3))
  end)

  run("and its lazy copy are still one when neither can be written", function()
    local U <close> = VectorArray.full(3, DIM, 2)
    local V <close> = U:copy()
    refused(2, function() V:scal(2) end)
    refused(2, function() V:set(1, 1, 5) end)
    refused(4, function() U:append(V) end)
    assert.is_true(is_full(U, 3) and is_full(V, 3))
    V:set(1, 1, 5)
    assert.same({ 3, 5 }, { U:get(1, 1), V:get(1, 1) })
  end)

  run("cannot be received, and can be afterwards, from the same pool", function()
    local pool <close> = neap.pool { workers = 2 }
    local remote <close> = pool:push(VectorArray.full(3, DIM, 2))
    local pids = { pool:status()[1].pid, pool:status()[2].pid }
    refused(2, function() return remote:get(2) end)
    refused(2, function()
      return pool:apply(function(V)
        V:set(1, 1, 4)
        return V
      end, remote)
    end)
    assert.equal(4, remote:get(1):get(1, 1)) -- what the worker did stays done
    assert.same(pids, { pool:status()[1].pid, pool:status()[2].pid })
  end)

  run("is still sent, as it is or with what was written since", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close> = VectorArray.full(3, DIM, 2)
    local first <close> = pool:push(U)
    U:set(1, 1, 4)
    local ok, second = crowded(function() return pool:push(U) end)
    assert.is_true(ok, tostring(second))
    assert.same({ 3, 4 }, { first:get(1):get(1, 1), second:get(1):get(1, 1) })
    second:remove()
  end)
end)

describe("a worker that may map no more", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  run("says so, keeps what it has, and goes on when it may again", function()
    local pool <close> = neap.pool { workers = 2 }
    local remote <close> = pool:push(VectorArray.full(3, DIM, 2))
    local pid = pool:status()[1].pid
    pool:apply(function(V) return V:get(1, 1) end, remote) -- mapped by now
    pool:apply_only(function() _G.room = require "kernel".crowd() end, 1)
    for _, f in ipairs {
      function(V) return V:scal(2) end,                              -- what is there is rewritten
      function(V) return V + V end,
      function() return require "neap".VectorArray.zeros(2 ^ 17 | 0, 2) end,
    } do
      local ok, e = pcall(pool.apply_only, pool, f, 1, remote)
      assert.is_false(ok)
      assert.same({ "error", 1 }, { e.kind, e.worker })
      assert.is_truthy(e.message:find(text(2), 1, true), e.message)
    end
    local ok, e = pcall(pool.apply_only, pool, function(V) return #V end, 1,
      VectorArray.full(1, DIM, 2)) -- one that it does not have yet
    assert.is_false(ok)
    assert.is_truthy(e.message:find(text(2), 1, true), e.message)
    pool:apply_only(function() require "kernel".disperse(_G.room) end, 1)
    assert.equal(pid, pool:status()[1].pid)
    assert.is_true(remote:get(1):almost_equal(remote:get(2), EXACT))
    assert.equal(6, pool:apply(function(V) return V:scal(2):get(1, 1) end, remote)[1])
  end)
end)
