-- Faults meet an item that has been taken back: it waited behind a long one, and the other worker,
-- which had nothing left to do, has done it in between.
local neap = require "neap"
local processes = require "spec.support.processes"

-- Item 1 waits until item 3 has been begun elsewhere: with chunks of one item and two workers that
-- is the one that lay behind it, so that it must have been taken back. Then item 1 does what the
-- spec is about. Each item leaves a line for each time that it was begun.
local TAKEN, LONG, LAST = 3, 1, 8

local function log_of(path)
  local counts = {}
  for line in io.lines(path) do
    local item = math.tointeger(line:match "^item (%d+)$")
    counts[item] = (counts[item] or 0) + 1
  end
  return counts
end

local function kill_self()
  local file <close> = assert(io.open("/proc/self/stat"))
  os.execute("kill -9 " .. file:read("n"))
  while true do end -- until it comes
end

-- What map calls: kw has the log and the fault.
local function item(i, kw)
  local is_first = not log_of(kw.path)[i]
  local log = assert(io.open(kw.path, "a"))
  log:write("item ", i, "\n")
  log:close()
  if i == LONG then
    while not log_of(kw.path)[TAKEN] do end
    if kw.fault == "endless" then
      while true do end
    end
    if kw.fault == "raises" then
      while not log_of(kw.path)[LAST] do end -- begun where all others have been answered by then
      error("no " .. i, 0)
    end
    if kw.fault == "its worker dies" and is_first then kill_self() end
  elseif i == TAKEN and kw.fault == "the taker dies" and is_first then
    kill_self()
  end
  return i * i
end

describe("an item that has been taken back", function()
  local pool, path, by_one

  before_each(function()
    pool = neap.pool { workers = 2 }
    path = os.tmpname()
    by_one = { chunk = 1 }
  end)
  after_each(function()
    pool:close()
    os.remove(path)
  end)

  local function map(fault, how)
    local view = pool:with(by_one)
    return view[how or "map"](view, item, neap.range(1, LAST),
      neap.kw { path = path, fault = fault })
  end

  local function check_in_step()
    assert.same({ 2, 4, 6, n = 3 }, pool:map(function(i) return 2 * i end, { 1, 2, 3 }))
    assert.same({ "here", "here", n = 2 }, pool:apply(function() return "here" end))
  end

  local function squares()
    local list = { n = LAST }
    for i = 1, LAST do list[i] = i * i end
    return list
  end

  it("is done once, and so is all else", function()
    assert.same(squares(), map "none")
    for i = 1, LAST do assert.equal(1, log_of(path)[i]) end
    check_in_step()
  end)

  it("is not done again when the worker dies behind whose item it waited", function()
    assert.same(squares(), map "its worker dies")
    local counts = log_of(path)
    assert.equal(2, counts[LONG])
    for i = 2, LAST do assert.equal(1, counts[i]) end
    assert.equal(1, pool:status()[1].restarts + pool:status()[2].restarts)
    check_in_step()
  end)

  it("is done again when the worker dies that has taken it", function()
    assert.same(squares(), map "the taker dies")
    local counts = log_of(path)
    assert.equal(2, counts[TAKEN])
    assert.equal(1, counts[LONG])
    assert.equal(1, pool:status()[1].restarts + pool:status()[2].restarts)
    check_in_step()
  end)

  local function fail(fault)
    local ok, e = pcall(map, fault)
    assert.is_false(ok)
    assert.equal(1, log_of(path)[TAKEN])
    check_in_step()
    return e
  end

  it("is done once where an error ends the map, and is among its results", function()
    local e = fail "raises"
    assert.same({ "no 1", LONG }, { e.message, e.item })
    for i = 2, LAST - 1 do assert.equal(i * i, e.results[1][i]) end
  end)

  it("is among the results of a map whose time has run out", function()
    by_one.timeout = 0.5
    local e = fail "endless"
    assert.equal("timeout", e.kind)
    assert.same({ 4, 9 }, { e.results[1][2], e.results[1][3] })
  end)

  it("is among the results of a map one of whose items took too long", function()
    by_one.item_timeout = 0.5
    local e = fail "endless"
    assert.same({ "timeout", LONG }, { e.kind, e.item })
    assert.same({ 4, 9 }, { e.results[1][2], e.results[1][3] })
  end)

  it("stays with the worker that has taken it when the item that it waited behind is given up",
    function()
      by_one.item_timeout, by_one.on_error = 0.5, function(e) return e.kind end
      local list, expected = map "endless", squares()
      expected[LONG] = "timeout"
      assert.same(expected, list)
      for i = 1, LAST do assert.equal(1, log_of(path)[i]) end
      check_in_step()
    end)

  it("is forgotten when its map is cancelled", function()
    local future = map("endless", "map_async")
    assert.is_true(processes.wait_until(20, function()
      future:done() -- the driver hands out what is left
      return log_of(path)[TAKEN]
    end))
    future:cancel()
    local ok, e = pcall(future.get, future)
    assert.is_false(ok)
    assert.equal("interrupted", e.kind)
    assert.equal(1, log_of(path)[TAKEN])
    check_in_step()
  end)
end)
