local wire = require "host.wire"

--- What arrives of the values.
local function sent(...)
  return wire.decode(wire.encode(...))
end

describe("functions on the wire", function()
  it("keep their code, their upvalues and their varargs", function()
    local a, b = 2, "b"
    local f = sent(function(x, ...) return x * a, b, select("#", ...) end)
    assert.same({ 6, "b", 2 }, { f(3, nil, nil) })
  end)

  it("have copies of their upvalues", function()
    local n = 0
    local f = sent(function()
      n = n + 1
      return n
    end)
    f()
    assert.equal(2, f())
    assert.equal(0, n)
  end)

  it("share upvalues when they shared them, also through tables and values", function()
    local n = 0
    local object = {
      inc = function() n = n + 1 end,
      get = function() return n end,
    }
    local o, other = sent(object, function() return n end)
    o.inc()
    o.inc()
    assert.equal(2, o.get())
    assert.equal(2, other())
  end)

  it("do not share upvalues that are merely equal", function()
    local function counter()
      local n = 0
      return function()
        n = n + 1
        return n
      end
    end
    local a, b = sent(counter(), counter())
    a()
    assert.equal(2, a())
    assert.equal(1, b())
  end)

  it("may be recursive, and refer to one another", function()
    local function factorial(n) return n == 0 and 1 or n * factorial(n - 1) end
    assert.equal(3628800, sent(factorial)(10))
    local is_odd
    local function is_even(n) return n == 0 or is_odd(n - 1) end
    function is_odd(n) return n ~= 0 and is_even(n - 1) end
    local even, odd = sent(is_even, is_odd)
    assert.is_true(even(10))
    assert.is_false(odd(10))
  end)

  it("may be upvalues of what they hold", function()
    local t = {}
    function t.me() return t end
    local u = sent(t)
    assert.equal(u, u.me())
  end)

  it("find the globals of the receiver, whatever the upvalue is called", function()
    local peer <close> = wire.peer()
    assert.equal("table", peer:call(function() return type(_G) end))
    local x = 1
    assert.equal(2, peer:call(function() x = x + 1; return math.tointeger(x) end))
    local G = _G
    assert.is_true(peer:call(function() return G == _G and x ~= nil end))
    local f <const> = load("local y = ...; return function() return y, print end")(5)
    assert.equal(5, (peer:call(function() return (f()) end)))
    peer:call(function() NEAP_SPEC = 7 end) -- luacheck: ignore
    assert.is_nil(rawget(_G, "NEAP_SPEC"))
    assert.equal(7, peer:call(function() return NEAP_SPEC end)) -- luacheck: ignore
  end)

  it("take another _ENV with them", function()
    local env = { answer = 42 }
    local f = load("return answer", "chunk", "t", env)
    assert.equal(42, sent(f)())
    local g = load("return answer, math", "chunk", "t", setmetatable(env, { __index = _G }))
    assert.same({ 42, math }, { sent(g)() })
  end)

  it("leave an _ENV behind that computes globals, as busted's does", function()
    local env = setmetatable({ log = io.stdout }, { __index = function(_, k) return _G[k] end })
    assert.equal(math, sent(load("return math", "chunk", "t", env))())
  end)

  it("keep names and lines for tracebacks", function()
    local f = sent(function() error("oops") end)
    local here = debug.getinfo(1, "l").currentline - 1
    local _, message = pcall(f)
    assert.matches("functions_spec.lua:" .. here .. ": oops", message, 1, true)
  end)

  it("that were loaded without debug information cross", function()
    local f = load(string.dump(function(x) return math.abs(x) end, true))
    assert.equal(3, sent(f)(-3))
  end)

  it("with many upvalues keep them all", function()
    local names, sum = {}, 0
    for i = 1, 100 do
      names[i] = "u" .. i
      sum = sum + i
    end
    local list = table.concat(names, ", ")
    local source = ("local %s = ...; return function() return %s end"):format(list,
      table.concat(names, " + "))
    local numbers = {}
    for i = 1, 100 do numbers[i] = i end
    assert.equal(sum, sent(load(source)(table.unpack(numbers)))())
  end)

  it("of C libraries cross by name", function()
    assert.equal(math.sin, (sent(math.sin)))
    assert.equal(print, (sent(print)))
    assert.equal(string.format, sent({ string.format })[1])
    local peer <close> = wire.peer()
    local sin = math.sin
    assert.equal(math.sin(1), peer:call(function() return sin(1) end))
    assert.is_true(peer:call(function(f) return f == math.floor end, math.floor))
    assert.equal(math.floor, peer:call(function() return math.floor end))
  end)

  it("cross by name with the table that a module holds them in", function()
    local array = require "host.array"
    local data = { array.Matrix, array.Matrix.zeros, { zeros = array.Matrix.zeros } }
    local copy = sent(data)
    assert.equal(array.Matrix, copy[1])
    assert.equal(array.Matrix.zeros, copy[2])
    assert.not_equal(data[3], copy[3]) -- a table of one's own is copied
    assert.equal(array.Matrix.zeros, copy[3].zeros)
  end)

  it("that are methods of userdata cross by name", function()
    local write = io.stdout.write
    assert.equal(write, (sent(write)))
    assert.equal(getmetatable(io.stdout), (sent(getmetatable(io.stdout))))
  end)
end)

describe("the code of a function", function()
  it("is sent once, however many closures have it and however often it is called", function()
    local peer <close> = wire.peer()
    local function make(a) return function(b) return a + b end end
    local total = 0
    for i = 1, 10 do total = total + peer:call(make(i), 1) end
    assert.equal(65, total)
    assert.equal(1, (peer:sent()))
  end)

  it("that has been changed is sent again", function()
    local peer <close> = wire.peer()
    assert.equal(1, peer:call(load("return 1")))
    assert.equal(2, peer:call(load("return 2")))
    assert.equal(2, (peer:sent()))
  end)

  it("costs a few bytes after the first time", function()
    local peer <close> = wire.peer()
    local function f(x) return x end
    peer:call(f, 1)
    local _, before = peer:sent()
    peer:call(f, 1)
    local _, after = peer:sent()
    assert.is_true(after - before < 32)
  end)

  it("makes as many functions as were sent", function()
    local peer <close> = wire.peer()
    local set = {}
    for i = 1, 3 do set[function() return 1 end] = i end
    local function count(t)
      local n = 0
      for f in pairs(t) do n = n + f() end
      return n
    end
    assert.equal(3, peer:call(count, set))
    assert.equal(3, peer:call(count, set))
    assert.equal(2, (peer:sent()))
  end)

  it("comes back as a function of the worker's", function()
    local peer <close> = wire.peer()
    local add = peer:call(function(a) return function(b) return a + b end end, 10)
    assert.equal(15, add(5))
    assert.equal(16, peer:call(add, 6))
  end)
end)
