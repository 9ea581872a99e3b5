local wire = require "host.wire"

--- A peer that finds the modules of the specs.
local function new_peer()
  local peer = wire.peer()
  peer:call(function(path) package.path = path end, package.path)
  return peer
end

local function new_class()
  local Class = { count = 0 }
  Class.__index = Class
  function Class.new(x) return setmetatable({ x = x }, Class) end
  function Class:get() return self.x end
  return Class
end

describe("a class of the script", function()
  it("crosses with its methods, and is the metatable of its objects", function()
    local Class = new_class()
    local peer <close> = new_peer()
    assert.equal(7, peer:call(function(o) return o:get() end, Class.new(7)))
    assert.is_true(peer:call(function(o) return getmetatable(o) == Class end, Class.new(7)))
    assert.equal(8, peer:call(function() return Class.new(8):get() end))
  end)

  it("is sent once and keeps its identity on the worker", function()
    local Class = new_class()
    local peer <close> = new_peer()
    local handle = peer:push(Class.new(1))
    local definitions = peer:sent()
    for i = 1, 5 do
      assert.is_true(peer:call(function(kept, new)
        return getmetatable(kept) == getmetatable(new)
      end, handle, Class.new(i)))
    end
    assert.equal(definitions + 1, (peer:sent())) -- the function above
    peer:call(function() Class.count = Class.count + 1 end)
    assert.equal(1, peer:call(function() return Class.count end))
    assert.equal(0, Class.count)
  end)

  it("is sent again when it has changed, and changes in place", function()
    local Class = new_class()
    local peer <close> = new_peer()
    local handle = peer:push(Class.new(1))
    function Class:get() return "new" end
    Class.extra = true
    assert.same({ "new", true }, { peer:call(function(o)
      return o:get(), o.extra
    end, handle, Class) })
    Class.extra = nil
    assert.is_nil(peer:call(function(o) return o.extra end, handle, Class))
  end)

  it("is the driver's own class in what comes back", function()
    local Class = new_class()
    local peer <close> = new_peer()
    local o = peer:call(function() return Class.new(3) end)
    assert.equal(Class, getmetatable(o))
    assert.equal(3, o:get())
    assert.equal(Class, (peer:call(function() return Class end)))
    Class.here = "here"
    assert.equal("here", peer:call(function() return Class.new(3) end).here)
  end)

  it("that was made on the worker arrives as one class", function()
    local peer <close> = new_peer()
    local make = peer:call(function()
      local Made = { __name = "Made" }
      Made.__index = Made
      function Made:name() return "made " .. self[1] end
      return function(x) return setmetatable({ x }, Made) end
    end)
    local a, b = make(1), make(2)
    assert.equal(getmetatable(a), getmetatable(b))
    assert.equal("made 2", b:name())
    local c, d = peer:call(function(o) return o, getmetatable(o) end, a)
    assert.equal(getmetatable(a), getmetatable(c))
    assert.equal(getmetatable(a), d)
  end)

  it("may inherit, refer to others in a circle, and have itself as an upvalue", function()
    local Base, Derived = { __name = "Base" }, { __name = "Derived" }
    Base.__index, Derived.__index = Base, Derived
    function Base.derive(x) return setmetatable({ x = x }, Derived) end
    function Base:id() return "base " .. self.x end
    function Derived:parent() return setmetatable({ x = self.x }, Base) end
    setmetatable(Derived, Base)
    local peer <close> = new_peer()
    assert.same({ "base 5", true }, { peer:call(function(o)
      return o:id(), getmetatable(o:parent()) == getmetatable(Derived)
    end, Base.derive(5)) })
    assert.is_true(peer:call(function() return Base.derive(1):parent().derive == Base.derive end))
  end)

  it("may have operators only, and no __index", function()
    local V = {}
    local function vector(x) return setmetatable({ x }, V) end
    V.__add = function(a, b) return vector(a[1] + b[1]) end
    local peer <close> = new_peer()
    local sum = peer:call(function(a, b) return a + b + vector(1) end, vector(2), vector(3))
    assert.equal(6, sum[1])
    assert.equal(V, getmetatable(sum))
    local handle = peer:push(vector(10))
    assert.equal(17, (peer:call(function(a, b) return a + b end, handle, vector(7)))[1])
  end)

  it("with an array among its fields is not sent again while that stays", function()
    local neap = require "neap"
    local Class = new_class()
    Class.table = neap.VectorArray.ones(2000, 1)
    local peer <close> = new_peer()
    local function f(o) return o.table:get(2000, 1) end
    assert.equal(1, peer:call(f, Class.new(1)))
    local definitions = peer:sent()
    assert.equal(1, peer:call(f, Class.new(2)))
    assert.equal(definitions, (peer:sent()))
    Class.table:set(2000, 1, 5)
    assert.equal(5, peer:call(f, Class.new(2)))
    assert.equal(definitions + 1, (peer:sent()))
  end)

  it("made anew for each call and dropped does not pile up", function()
    local peer <close> = new_peer()
    local function make() return setmetatable({}, { __index = function() return 3 end }) end
    local function f(o) return o.x end
    assert.equal(3, peer:call(f, make()))
    collectgarbage()
    local definitions = peer:sent()
    for _ = 1, 10 do
      assert.equal(3, peer:call(f, make()))
      collectgarbage()
    end
    assert.equal(definitions, (peer:sent()))
  end)

  it("is one class in a self-contained message, and the same one in this process", function()
    local Class = new_class()
    local a, b = wire.decode(wire.encode({ Class.new(1), Class.new(2) }, Class))
    assert.equal(Class, getmetatable(a[1]))
    assert.equal(Class, getmetatable(a[2]))
    assert.equal(Class, b)
  end)
end)

describe("a metatable that is no class", function()
  it("crosses by value with what it belongs to", function()
    local defaults = { colour = "red" }
    local o = setmetatable({}, { __index = defaults })
    local p = wire.decode(wire.encode { o = o, defaults = defaults })
    assert.equal("red", p.o.colour)
    p.defaults.colour = "blue"
    assert.equal("blue", p.o.colour)
    assert.equal("red", o.colour)
  end)
end)

describe("a module", function()
  local shapes

  before_each(function()
    package.loaded["spec.host.wire.modules.shapes"] = nil
    shapes = require "spec.host.wire.modules.shapes"
  end)

  it("crosses by name: the worker requires its own", function()
    local peer <close> = new_peer()
    shapes.new(1)
    assert.equal(0, peer:call(function() return shapes.count() end))
    assert.is_true(peer:call(function()
      return shapes == package.loaded["spec.host.wire.modules.shapes"]
    end))
    assert.equal(shapes, (wire.decode(wire.encode(shapes))))
  end)

  it("gives its functions, classes and methods names, but not its data", function()
    local peer <close> = new_peer()
    local name = "spec.host.wire.modules.shapes"
    assert.is_true(peer:call(function(new, Shape, double, options)
      local m = require(name)
      return new == m.new and Shape == m.Shape and double == m.Shape.double
        and options ~= m.options and options.colour == "red"
    end, shapes.new, shapes.Shape, shapes.Shape.double, shapes.options))
    assert.equal(6, peer:call(function(o) return o:double() end, shapes.new(3)))
    assert.is_true(#wire.encode(shapes.new(3)) < 150)
  end)

  it("does not name what a script has put into it", function()
    local peer <close> = new_peer()
    local n = 41
    function shapes.added() return n + 1 end
    assert.equal(42, peer:call(function(f) return f() end, shapes.added))
    local function added() return n + 2 end
    rawset(string, "added", added)
    assert.equal(43, peer:call(function(f) return f() end, added))
    rawset(string, "added", nil)
  end)

  it("of the standard library crosses by name", function()
    local peer <close> = new_peer()
    local lib, os_ = math, os
    assert.is_true(peer:call(function() return lib == math and os_ == os end))
    assert.equal(_G, (wire.decode(wire.encode(_G))))
  end)

  it("that a script has put into package.loaded crosses as it is", function()
    local peer <close> = new_peer()
    package.loaded["spec.made.here"] = { value = 5, get = function() return "five" end }
    local made = require "spec.made.here"
    assert.same({ 5, "five" }, { peer:call(function() return made.value, made.get() end) })
    local definitions = peer:sent()
    assert.equal(5, peer:call(function() return made.value end))
    assert.equal(definitions + 1, (peer:sent())) -- the function
    package.loaded["spec.made.here"] = nil
  end)

  it("is an error on a worker that does not find it", function()
    local peer <close> = wire.peer()
    peer:call(function() package.path = "" end)
    assert.error_matches(function() peer:call(function() return shapes end) end,
      "module 'spec.host.wire.modules.shapes' not found", 1, true)
  end)
end)

describe("a module whose source has changed", function()
  local folder, path

  local function write(text)
    local file = assert(io.open(folder .. "/wirespec_changing.lua", "w"))
    file:write(text)
    file:close()
  end

  before_each(function()
    folder, path = os.tmpname(), package.path
    os.remove(folder)
    assert(require "lfs".mkdir(folder))
    package.path = folder .. "/?.lua;" .. package.path
  end)

  after_each(function()
    os.remove(folder .. "/wirespec_changing.lua")
    require "lfs".rmdir(folder)
    package.path = path
    package.loaded["wirespec_changing"] = nil
  end)

  it("is loaded again on the worker, in place", function()
    write "return { version = 1, old = true }"
    local m = require "wirespec_changing"
    local peer <close> = new_peer()
    local function version() return m.version, m.old end
    assert.same({ 1, true }, { peer:call(version) })
    peer:call(function() KEPT = require "wirespec_changing" end) -- luacheck: ignore
    write "return { version = 2 }"
    package.loaded["wirespec_changing"] = nil
    m = require "wirespec_changing"
    assert.same({ 2, nil }, { peer:call(version) })
    assert.equal(2, peer:call(function() return KEPT.version end)) -- luacheck: ignore
  end)

  it("is an error when the worker's differs for good", function()
    write "return { version = 1 }"
    local m = require "wirespec_changing"
    local peer <close> = new_peer()
    assert.equal(1, wire.decode(wire.encode(m)).version)
    write "return { version = 3 }"
    assert.error_matches(function() peer:call(function() return m end) end,
      "module 'wirespec_changing' differs from the sender's", 1, true)
  end)
end)
