-- What a process that received an array can do to the memory that others read: nothing.
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local lfs = require "lfs"
local neap = require "neap"
local VectorArray = neap.VectorArray

package.cpath = command.neap:match "^(.*)/" .. "/?.so;" .. package.cpath -- for kernel

local SHRINK, GROW, FUTURE_WRITE = 2, 4, 16
local REFUSED = { shrink = "EPERM", empty = "EPERM", grow = "EPERM", punch = "EPERM",
                  write = "EPERM", map = "EPERM", protect = "EACCES",
                  seals = SHRINK | GROW | FUTURE_WRITE }

--- Runs on both sides: tries to do harm through each descriptor of the arrays' memory.
---@return table  by device and inode, what came of each attempt
local function harm_all()
  local kernel, files = require "kernel", require "lfs"
  local found = {}
  for name in files.dir "/proc/self/fd" do
    local path = "/proc/self/fd/" .. name
    local target = files.symlinkattributes(path, "target")
    if target and target:find("^/memfd:neap ") then
      local about = files.attributes(path)
      found[about.dev .. ":" .. about.ino] = kernel.harm(math.tointeger(name))
    end
  end
  return found
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

describe("the memory of an array that was sent", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)

  local function intact(U)
    return U:almost_equal(VectorArray.full(3, U.dim, #U), { rtol = 0, atol = 0 })
  end

  it("is as long as it was, and written by nobody who received it", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = VectorArray.full(3, 40000, 2)
    local V <close> = VectorArray.full(3, 50000, 2)
    local remote <close> = pool:push { U, V[2] }
    local scattered <close> = pool:scatter_array(V)
    local results = pool:apply(harm_all)
    for w = 1, 2 do
      assert.equal(2, count(results[w])) -- of U, of V
      for _, attempts in pairs(results[w]) do assert.same(REFUSED, attempts) end
    end
    assert.is_true(intact(U) and intact(V))
    assert.is_true(intact(remote:get(2)[1]) and intact(pool:gather_array(scattered)))
  end)

  it("is no more the sender's to change through a descriptor", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close> = VectorArray.full(3, 40000, 2)
    local remote <close> = pool:push(U)
    for _, attempts in pairs(harm_all()) do assert.same(REFUSED, attempts) end
    assert.is_true(intact(remote:get(1)))
  end)

  it("is sealed in results, too: the driver and another worker receive them", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = pool:apply_only(function(VA) return VA.full(3, 40000, 2) end, 1, VectorArray)
    local kept <close> = pool:keep(function(V) return V end, U)
    for _, found in ipairs { harm_all(), table.unpack(pool:apply(harm_all)) } do
      assert.equal(1, count(found))
      for _, attempts in pairs(found) do assert.same(REFUSED, attempts) end
    end
    assert.is_true(intact(U) and intact(kept:get(1)) and intact(kept:get(2)))
  end)

  it("is sealed where its pages travel as a patch", function()
    local pool <close> = neap.pool { workers = 1 }
    local remote <close> = pool:push(VectorArray.full(3, 2 ^ 19 | 0, 2)) -- 8 MiB
    collectgarbage() -- the driver has only what it receives
    local U <close> = remote:get(1)
    for i = 1, 100000 do U:set(i, 1, 3) end -- more than a block that is shared begins with
    local again <close> = pool:push(U)
    for _, attempts in pairs(pool:apply(harm_all)[1]) do assert.same(REFUSED, attempts) end
    assert.is_true(intact(again:get(1)))
  end)

  it("is read on by the others when a receiver dies in the middle of trying", function()
    local pool <close> = neap.pool { workers = 2 }
    local U <close> = VectorArray.full(3, 40000, 2)
    local remote <close> = pool:push(U)
    pool:apply_only(harm_all, 1)
    pool:kill(1)
    for w = 1, 2 do assert.is_true(intact(remote:get(w))) end
    assert.is_true(lfs.attributes "/proc/self/fd" ~= nil and intact(U))
  end)
end)
