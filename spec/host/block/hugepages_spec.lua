-- Memory that a large block gets in huge pages, and memory that it does not get before it is used.
local leaks = require "spec.support.leaks"
local neap = require "neap"
local VectorArray = neap.VectorArray

local HUGE, VECTOR = 2 ^ 21 // 1 | 0, 2 ^ 18 // 1 | 0 -- bytes of a huge page, and numbers in it

-- What memory the segments of this process have, and how much of it is mapped in huge pages.
local function memory()
  local sum, is_segment = { Rss = 0, ShmemPmdMapped = 0 }, false
  for line in io.lines "/proc/self/smaps" do
    if line:find "^%x+%-%x+ " then is_segment = line:find "/memfd:neap" ~= nil end
    local name, kib = line:match "^(%w+): +(%d+) kB$"
    if is_segment and sum[name] then sum[name] = sum[name] + (math.tointeger(kib) << 10) end
  end
  return sum.Rss, sum.ShmemPmdMapped
end

-- Linux 6.1 and later, on processors that have such pages.
local function has_huge_pages()
  local size <close> = io.open "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
  local release <close> = assert(io.open "/proc/sys/kernel/osrelease")
  local major, minor = release:read("a"):match "^(%d+)%.(%d+)"
  major, minor = tonumber(major), tonumber(minor)
  return size and tonumber(size:read "a") == HUGE and (major > 6 or major == 6 and minor >= 1)
end

describe("a block of several huge pages", function()
  neap.pool { workers = 1 }:close() -- the event loop of this process stays
  leaks.watch(before_each, after_each)
  before_each(function() collectgarbage() end)

  local function it_with_huge_pages(title, f)
    it(title, has_huge_pages() and f or function() pending "the system has no huge pages" end)
  end

  it_with_huge_pages("has them once it is written", function()
    local U <close> = VectorArray.ones(VECTOR, 4)
    local _, huge = memory()
    assert.equal(4 * HUGE, huge)
    assert.same({ VECTOR, VECTOR, VECTOR, VECTOR }, U:norm2())
  end)

  it_with_huge_pages("is rounded up to whole ones only where they are little more", function()
    local U <close> = VectorArray.ones(VECTOR - 1000, 4)
    local _, huge = memory()
    assert.equal(4 * HUGE, huge)
    assert.equal(VECTOR - 1000, U:norm2()[4])
    local V <close> = VectorArray.ones(VECTOR // 2, 3)
    local rss, both = memory()
    assert.equal(VECTOR // 2, V:norm2()[3])
    assert.equal(5 * HUGE, both)
    assert.equal(5 * HUGE + HUGE // 2, rss)
  end)

  it_with_huge_pages("has them on the worker that reads it", function()
    local pool <close> = neap.pool { workers = 1 }
    local U <close> = VectorArray.ones(VECTOR, 4)
    local square, huge = pool:apply_only(function(V)
      return V:norm2()[4], select(2, memory())
    end, 1, U)
    assert.equal(VECTOR, square)
    assert.equal(4 * HUGE, huge)
  end)

  it("has no memory while it is zero, and little where little of it is written", function()
    local U <close> = VectorArray.zeros(VECTOR, 64)
    assert.equal(0, (memory()))
    U:set(1, 1, 2)
    U:set(VECTOR, 64, 3)
    assert.is_true(memory() < HUGE)
    assert.same({ 2, 3 }, { U:get(1, 1), U:get(VECTOR, 64) })
  end)

  it_with_huge_pages("keeps what was in small pages", function()
    local U <close> = VectorArray.zeros(VECTOR, 4)
    for j = 1, 4 do U:set(1000 * j, j, j) end
    U:scal(2)
    local _, huge = memory()
    assert.equal(4 * HUGE, huge)
    for j = 1, 4 do assert.equal(2 * j, U:get(1000 * j, j)) end
    assert.same({ 2, 4, 6, 8 }, U:norm())
  end)

  it("gets the memory of reserved vectors as they come", function()
    local one <close> = VectorArray.ones(VECTOR, 1)
    local U <close> = VectorArray.empty(VECTOR, { reserve = 64 })
    local before = memory()
    for n = 1, 3 do
      U:append(one)
      assert.equal(before + n * HUGE, (memory()))
    end
    assert.same({ VECTOR, VECTOR, VECTOR }, U:norm2())
  end)

  it("has all memory once most is written, in one go or appended", function()
    local U <close> = VectorArray.zeros(VECTOR + 1000, 3)
    U:axpy(1, VectorArray.ones(VECTOR + 1000, 3))
    assert.same({ VECTOR + 1000, VECTOR + 1000, VECTOR + 1000 }, U:norm2())
    local V <close> = VectorArray.empty(VECTOR + 1000)
    for _ = 1, 5 do V:append(U) end
    assert.equal(15, #V)
    for _, square in ipairs(V:norm2()) do assert.equal(VECTOR + 1000, square) end
  end)
end)
