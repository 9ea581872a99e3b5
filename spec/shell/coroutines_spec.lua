-- neap has its own resume and wrap (see host/shell/coroutines.h), which must be Lua's.
describe("coroutine", function()
  local create, resume, wrap = coroutine.create, coroutine.resume, coroutine.wrap

  it("passes values in and out", function()
    local co = create(function(...)
      local n = select("#", ...)
      local a, b = coroutine.yield(n, nil)
      return a, b, nil
    end)
    assert.same({ true, 3, nil, n = 3 }, table.pack(resume(co, 1, nil, nil)))
    assert.same({ true, "a", "b", nil, n = 4 }, table.pack(resume(co, "a", "b", "lost")))
    assert.same({ false, "cannot resume dead coroutine" }, { resume(co) })
  end)

  it("is a generator when wrapped", function()
    local sum = 0
    for i, j in wrap(function() for i = 1, 4 do coroutine.yield(i, i * i) end end) do
      sum = sum + i * j
    end
    assert.equal(100, sum)
  end)

  it("returns an error from resume, as it was raised", function()
    local raised = {}
    assert.same({ false, raised }, { resume(create(function() error(raised) end)) })
    assert.equal(raised, select(2, resume(create(function() error(raised) end))))
    local co = create(function() error("here", 0) end)
    assert.same({ false, "here" }, { resume(co) })
    assert.matches("in function <", debug.traceback(co))
  end)

  it("raises an error from wrap, with the place of the call, and closes what is open", function()
    local closed
    local f = wrap(function()
      local _ <close> = setmetatable({}, { __close = function(_, e) closed = e end })
      error("inside", 0)
    end)
    local ok, message = pcall(function() f() end)
    assert.is_false(ok)
    assert.matches("^spec/shell/coroutines_spec.lua:%d+: inside$", message)
    assert.equal("inside", closed)
    local raised = {}
    ok, message = pcall(wrap(function() error(raised) end))
    assert.is_false(ok)
    assert.equal(raised, message)
    f = wrap(function() end)
    f()
    assert.error_matches(f, "cannot resume dead coroutine")
  end)

  it("cannot be resumed while it runs or has resumed another one", function()
    local outer
    outer = create(function()
      assert.same({ false, "cannot resume non-suspended coroutine" }, { resume(outer) })
      return resume(create(function() return resume(outer) end))
    end)
    assert.same({ true, true, false, "cannot resume non-suspended coroutine" }, { resume(outer) })
  end)

  it("refuses what is no coroutine or no function", function()
    assert.error_matches(function() resume(print) end,
      "bad argument #1 to 'resume' (coroutine expected, got function)", 1, true)
    assert.error_matches(function() wrap(1) end,
      "bad argument #1 to 'wrap' (function expected, got number)", 1, true)
  end)

  it("nests until the C stack is said to overflow", function()
    local depth = 0
    local function nest()
      depth = depth + 1
      local ok, message = resume(create(nest))
      if not ok then error(message, 0) end
    end
    local ok, message = pcall(nest)
    assert.is_false(ok)
    assert.matches("C stack overflow", message)
    assert.is_true(depth > 100)
  end)
end)
