local wire = require "host.wire"

--- What f returns there for an object and what belongs to it.
local function there(f, ...)
  local peer <close> = wire.peer()
  return peer:call(f, ...)
end

local function proxy_of(data)
  return setmetatable({}, {
    __index = data,
    __newindex = function(_, name, value) data[name] = value end,
  })
end

describe("a metatable that belongs to its object", function()
  it("holds that object, not a copy of it, whatever metamethods it has", function()
    local o = {}
    o.self = o
    o.shown = setmetatable({}, { __index = o, __tostring = function() return "shown" end })
    assert.same({ true, "shown" }, { there(function(it)
      return it.shown.self == it, tostring(it.shown)
    end, o) })
    local back = there(function(it) it.x = 5 return it end, o)
    assert.equal(back, back.shown.self)
    assert.equal(5, back.shown.x)
    assert.is_nil(o.x)
  end)

  it("may show an object that has functions", function()
    local o = {}
    function o.get() return o end
    o.shown = setmetatable({}, { __index = o, __len = function() return 3 end })
    assert.is_true(there(function(it)
      return it.shown.get() == it and it.get() == it and #it.shown == 3
    end, o))
  end)

  it("shows and changes the data that are sent beside it, in either order", function()
    local data = {}
    local proxy = proxy_of(data)
    assert.same({ 1, 2, 3 }, { there(function(p, d) p.x = 1 return d.x end, proxy, data),
      there(function(d, p) p.x = 2 return d.x end, data, proxy),
      there(function(list) list[1].x = 3 return list[2].x end, { proxy, data }) })
    assert.equal(7, there(function(p) p.x = 7 return p end, proxy).x)
    assert.is_nil(data.x)
  end)

  it("has the object as an upvalue", function()
    local o = { n = 0 }
    setmetatable(o, { __call = function() return o end })
    assert.is_true(there(function(it) return it() == it end, o))
    local back = there(function(it) it.n = 3 return it end, o)
    assert.equal(back, back())
    assert.equal(3, back().n)
  end)

  it("shares upvalues with the object's functions", function()
    local n = 0
    local o = setmetatable({ step = function() n = n + 1 end }, { __len = function() return n end })
    assert.equal(2, there(function(it) it.step() it.step() return #it end, o))
    assert.equal(0, n)
  end)

  it("may be the object itself", function()
    local o = {}
    o.__call = function() return o end
    setmetatable(o, o)
    local function is_own(it) return getmetatable(it) == it and it() == it end
    assert.is_true(there(is_own, o))
    assert.is_true(is_own(there(function(it) return it end, o)))
  end)

  it("made anew for each call does not pile up", function()
    local peer <close> = wire.peer()
    local function call()
      local o = {}
      setmetatable(o, { __call = function() return o end })
      assert.is_true(peer:call(function(it) return it() == it end, o))
    end
    call()
    local definitions = peer:sent()
    for _ = 1, 10 do call() end
    assert.equal(definitions, (peer:sent()))
  end)
end)

describe("a class without a name", function()
  it("stays a class where its operators have its objects as upvalues", function()
    local V = {}
    local zero = setmetatable({ 0 }, V)
    V.__add = function(a, b)
      if b == zero then return a end
      return setmetatable({ a[1] + b[1] }, V)
    end
    local two = setmetatable({ 2 }, V)
    assert.equal(V, getmetatable(there(function(a, b) return a + b end, two, zero)))
    assert.equal(V, getmetatable(there(function(_, b) return b end, two, zero)))
  end)

  it("stays a class where it has default values, if its methods refer to it", function()
    local V = { __index = { 0, 0 } }
    V.__add = function(a, b) return setmetatable({ a[1] + b[1], a[2] + b[2] }, V) end
    local sum = there(function(a, b) return a + b end, setmetatable({ 1 }, V), setmetatable({}, V))
    assert.equal(V, getmetatable(sum))
    assert.same({ 1, 0 }, { sum[1], sum[2] })
  end)

  it("stays a class where it looks fields up by a function", function()
    local Class = { greeting = "hello" }
    Class.__index = function(_, name) return Class[name] end
    local back = there(function(o) o.x = 1 return o end, setmetatable({}, Class))
    assert.equal(Class, getmetatable(back))
    assert.same({ 1, "hello" }, { back.x, back.greeting })
  end)

  it("is the one that its base's derived table has", function()
    local Base = {}
    Base.__index = Base
    function Base.name() return "base" end
    local Derived = setmetatable({}, { __index = Base })
    Derived.__index = Derived
    local back = there(function(o)
      assert(o.name() == "base" and getmetatable(getmetatable(o)).__index == Base)
      return o
    end, setmetatable({}, Derived))
    assert.equal(Derived, getmetatable(back))
    assert.equal("base", back.name())
  end)
end)

describe("two classes", function()
  it("that refer to each other are each one", function()
    local A, B = {}, {}
    A.__index, B.__index, A.other, B.other = A, B, B, A
    local a, b = there(function(a, b)
      assert(getmetatable(a) == A and getmetatable(b) == B and A.other == B and B.other == A)
      return a, b
    end, setmetatable({}, A), setmetatable({}, B))
    assert.equal(A, getmetatable(a))
    assert.equal(B, getmetatable(b))
  end)
end)
