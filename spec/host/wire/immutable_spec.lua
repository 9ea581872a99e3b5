local neap = require "neap"
local wire = require "host.wire"

--- What arrives of the values.
local function sent(...)
  return wire.decode(wire.encode(...))
end

describe("an immutable table", function()
  it("is the table itself and reads as before", function()
    local t = { 10, 20, 30, name = "t", inner = { x = 1 } }
    assert.equal(t, neap.immutable(t))
    assert.is_true(neap.is_immutable(t))
    assert.equal(20, t[2])
    assert.equal("t", t.name)
    assert.is_nil(t.nothing)
    assert.equal(3, #t)
    assert.same({ 10, 20, 30 }, { table.unpack(t) })
    local keys, sum = {}, 0
    for key in pairs(t) do keys[tostring(key)] = true end
    assert.same({ ["1"] = true, ["2"] = true, ["3"] = true, name = true, inner = true }, keys)
    for _, x in ipairs(t) do sum = sum + x end
    assert.equal(60, sum)
  end)

  it("refuses to be written to, naming the field", function()
    local t = neap.immutable { 1, name = "t", inner = { x = 1 } }
    assert.error_matches(function() t.name = "u" end,
      "field 'name' of an immutable table cannot be set", 1, true)
    assert.error_matches(function() t.other = "u" end, "field 'other'", 1, true)
    assert.error_matches(function() t[1] = 2 end, "field [1]", 1, true)
    assert.error_matches(function() t.inner.x = 2 end, "field 'x'", 1, true)
    local _, message = pcall(function() t.name = nil end)
    assert.matches("^.*immutable_spec.lua:%d+: field 'name'", message)
    assert.equal("t", t.name)
    assert.equal(1, t.inner.x)
  end)

  it("does not give its contents away", function()
    local t = neap.immutable { x = 1 }
    local _, state = pairs(t)
    assert.equal(t, state)
    assert.error_matches(function() setmetatable(t, nil) end, "protected", 1, true)
    assert.is_nil(next(t))
  end)

  it("freezes what it reaches, cycles and keys and arrays included", function()
    local key, U = { "key" }, neap.VectorArray.zeros(2, 2)
    local t = { [key] = 1, list = { U } }
    t.self = t
    neap.immutable(t)
    assert.is_true(neap.is_immutable(key))
    assert.is_true(neap.is_immutable(t.list))
    assert.is_true(neap.is_immutable(U))
    assert.has_error(function() U:set(1, 1, 5) end)
    assert.equal(t, t.self)
  end)

  it("leaves metatables, classes, functions and modules alone", function()
    local counter = { n = 0 }
    local Class = { count = 0 }
    Class.__index = Class
    local t = neap.immutable(setmetatable({ f = function() return counter end, class = Class,
      lib = math, module = neap }, Class))
    Class.count = 1
    counter.n = 1
    assert.equal(1, t.count)
    assert.is_false(neap.is_immutable(Class))
    assert.is_false(neap.is_immutable(math))
    assert.is_false(neap.is_immutable(neap))
    assert.is_false(neap.is_immutable(counter))
  end)

  it("keeps its metamethods and its class", function()
    local Point = { __name = "Point" }
    Point.__index = Point
    function Point:norm1() return self.x + self.y end
    function Point.__add(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Point) end
    function Point.__eq(a, b) return a.x == b.x and a.y == b.y end
    function Point.__call(self, k) return self.x * k end
    function Point.__tostring(self) return ("(%d, %d)"):format(self.x, self.y) end
    local a = neap.immutable(setmetatable({ x = 1, y = 2 }, Point))
    local b = setmetatable({ x = 1, y = 2 }, Point)
    assert.equal(Point, getmetatable(a))
    assert.equal(3, a:norm1())
    assert.equal(2, (a + b).x)
    assert.is_true(a == b)
    assert.equal(10, a(10))
    assert.equal("(1, 2)", tostring(a))
  end)

  it("calls an __index that is a function with itself", function()
    local seen
    local t = neap.immutable(setmetatable({ x = 1 }, { __index = function(self, key)
      seen = self
      return key .. "!"
    end }))
    assert.equal(1, t.x)
    assert.equal("y!", t.y)
    assert.equal(t, seen)
  end)

  it("may be made twice, and may be empty", function()
    local t = neap.immutable(neap.immutable {})
    assert.is_true(neap.is_immutable(t))
    assert.equal(0, #t)
    assert.has_error(function() t[1] = 1 end)
  end)

  it("is made of a table or an array only", function()
    assert.error_matches(function() neap.immutable(5) end, "table or array expected", 1, true)
    local U = neap.VectorArray.zeros(1, 1)
    assert.equal(U, neap.immutable(U))
    assert.is_true(neap.is_immutable(U))
    assert.is_false(neap.is_immutable("text"))
    assert.is_false(neap.is_immutable({}))
    assert.is_true(neap.is_immutable(setmetatable({}, { __immutable = true })))
  end)
end)

describe("an immutable on the wire", function()
  it("is an immutable again, with its class", function()
    local Class = { __name = "Class" }
    Class.__index = Class
    local inner = neap.immutable { 1, 2, 3, x = { y = "z" } }
    local t = sent({ a = inner, b = inner, c = neap.immutable(setmetatable({ 7 }, Class)) })
    assert.equal(t.a, t.b)
    assert.is_true(neap.is_immutable(t.a))
    assert.is_true(neap.is_immutable(t.a.x))
    assert.is_false(neap.is_immutable(t))
    assert.equal("z", t.a.x.y)
    assert.equal(3, #t.a)
    assert.equal(Class, getmetatable(t.c))
    assert.equal(7, t.c[1])
  end)

  it("keeps cycles through itself", function()
    local t = { name = "t" }
    t.self = t
    local u = sent(neap.immutable(t))
    assert.equal(u, u.self)
    assert.equal("t", u.name)
    assert.is_true(neap.is_immutable(u))
  end)

  it("is not sent again after it was pushed", function()
    local peer <close> = wire.peer()
    local t = neap.immutable { text = ("x"):rep(10000) }
    local handle = peer:push(t)
    local _, before = peer:sent()
    assert.equal(10000, peer:call(function(u) return #u.text end, t))
    assert.is_true(peer:call(function(a, b) return a == b.inner end, handle, { inner = t }))
    local _, after = peer:sent()
    assert.is_true(after - before < 1000)
  end)

  it("gives its items to a slice", function()
    local list = neap.immutable { "a", "b", "c" }
    assert.same({ "b", "c" }, (wire.decode(wire.encode_slice(list, 2, 3))))
  end)

  it("of arrays stays frozen", function()
    local U = neap.immutable(neap.VectorArray.ones(2, 2))
    local V = sent(U)
    assert.is_true(neap.is_immutable(V))
    assert.equal(1, V:get(1, 1))
  end)
end)
