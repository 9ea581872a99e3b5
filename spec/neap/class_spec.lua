describe("class", function()
  local class = require "neap.class"

  it("makes instances by a call, with the methods of its bases", function()
    local Base = class("Base")
    function Base._fields(x) return { x = x } end
    function Base:double() return 2 * self.x end
    local Derived = class("Derived", Base)
    assert.equal(6, Derived(3):double())
    assert.equal(Derived, getmetatable(Derived(3)))
    assert.equal("Derived", Derived.__name)
    assert.equal(Derived, Derived.__index)
  end)

  it("hands metamethods down", function()
    local Base = class("Base")
    Base._fields = function() return {} end
    Base.__unm = function() return "minus" end
    local Derived = class("Derived", Base)
    assert.equal("minus", -Derived())
  end)

  it("makes immutable instances refuse new fields", function()
    local Fixed = class("my.Fixed", nil, { immutable = true })
    Fixed._fields = function() return { x = 1 } end
    local Derived = class("my.Derived", Fixed)
    assert.is_true(rawget(Derived, "__immutable"))
    local object = Derived()
    assert.error_matches(function() object.y = 2 end,
      "my.Derived is immutable: field 'y' cannot be set", 1, true)
  end)
end)
