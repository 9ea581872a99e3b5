local wire = require "host.wire"

--- What arrives of the values.
local function sent(...)
  return wire.decode(wire.encode(...))
end

local function bits(x)
  return string.pack("<d", x)
end

describe("values on the wire", function()
  it("keep nil, booleans and their number", function()
    local list = table.pack(sent(nil, true, false, nil))
    assert.same({ nil, true, false, nil, n = 4 }, list)
    assert.equal(0, select("#", sent()))
  end)

  it("keep integers and floats apart", function()
    local numbers = { 0, 1, -1, 63, 64, -64, 127, 128, 1 << 31, 1 << 53, math.maxinteger,
      math.mininteger, 0.0, 1.0, -1.5, 2.0 ^ 53, 1e308, 5e-324, math.huge, -math.huge }
    for _, x in ipairs(numbers) do
      local y = sent(x)
      assert.equal(x, y)
      assert.equal(math.type(x), math.type(y))
    end
  end)

  it("keep the bits of every float", function()
    local quiet = string.unpack("<d", "\1\2\3\4\5\6\xf8\x7f")
    for _, x in ipairs { -0.0, 0.0, quiet, -quiet, 0 / 0 } do
      assert.equal(bits(x), bits(sent(x)))
      assert.equal(bits(x), bits(sent({ x, x, x })[2]))
    end
  end)

  it("keep strings with any bytes and of any length", function()
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    for _, n in ipairs { 0, 1, 31, 32, 40, 41, 127, 128, 100000 } do
      local s = table.concat(all):rep(n // 256 + 1):sub(1, n)
      assert.equal(s, (sent(s)))
    end
    assert.equal("a\0b", (sent("a\0b")))
  end)

  it("send a string that comes again as a reference", function()
    local s = ("x"):rep(1000)
    assert.is_true(#wire.encode({ s, s, s, s, [s] = s }) < 1200)
    assert.same({ s, s, s, s, [s] = s }, (sent({ s, s, s, s, [s] = s })))
  end)
end)

describe("tables on the wire", function()
  it("keep items, fields and keys of every kind", function()
    local t = { 1, "two", { 3 }, x = 1, [2.5] = "float", [true] = "yes", [-7] = "seven",
      ["odd key"] = {}, [10] = "ten" }
    assert.same(t, (sent(t)))
    assert.same({}, (sent({})))
  end)

  it("keep shared references, also among several values", function()
    local shared = { "shared" }
    local a, b, c = sent({ shared, shared }, shared, { x = shared })
    assert.equal(a[1], a[2])
    assert.equal(a[1], b)
    assert.equal(b, c.x)
  end)

  it("keep cycles", function()
    local t = { name = "t" }
    t.self, t[t], t.list = t, "key", { t }
    local u = sent(t)
    assert.equal(u, u.self)
    assert.equal("key", u[u])
    assert.equal(u, u.list[1])
  end)

  it("keep tables as keys", function()
    local key = { "key" }
    local t = sent({ [key] = 1, key = key })
    assert.equal(1, t[t.key])
    assert.same({ "key" }, t.key)
  end)

  it("keep metatables, shared ones as one", function()
    local mt = { __mode = "k", note = "data" }
    local a, b = sent(setmetatable({ 1 }, mt), setmetatable({ x = 2 }, mt))
    assert.same({ __mode = "k", note = "data" }, getmetatable(a))
    assert.equal(getmetatable(a), getmetatable(b))
    assert.equal(2, b.x)
  end)

  it("keep the length of lists with holes", function()
    local t = sent(table.pack(nil, nil, 3, nil, 5))
    assert.equal(5, t.n)
    assert.equal(3, t[3])
    assert.equal(5, t[5])
    assert.is_nil(t[4])
  end)

  it("keep lists of numbers, alone and with fields", function()
    for _, n in ipairs { 1, 2, 3, 255, 256, 1000 } do
      local integers, floats, mixed = {}, {}, {}
      for i = 1, n do
        integers[i], floats[i] = i * 1000003 - 5, i / 7
        mixed[i] = i == n and "last" or i
      end
      integers.x, floats.y = "x", { 1, 2, 3 }
      local a, b, c = sent(integers, floats, mixed)
      assert.same(integers, a)
      assert.same(floats, b)
      assert.same(mixed, c)
      assert.equal("integer", math.type(a[1]))
      assert.equal("float", math.type(b[1]))
    end
  end)

  it("keep numbers that lie partly in the hash part, or have something else among them", function()
    for _, odd in ipairs { 0.5, 7, "seven", { 7 }, false } do
      for _, at in ipairs { 1, 15, 16, 17, 40, 4095, 4096, 4097, 5000 } do
        local list = {}
        for i = 1, 5000 do list[i] = i * 3 end
        list[at], list[5002], list[-1], list.x = odd, 1, 2, 3
        local floats = {}
        for i = 5000, 1, -1 do floats[i] = i == at and odd or i / 3 end
        local a, b = sent(list, floats)
        assert.same(list, a)
        assert.same(floats, b)
        assert.equal(math.type(list[at]), math.type(a[at]))
        assert.equal(math.type(floats[at]), math.type(b[at]))
      end
    end
    local shortened = {}
    for i = 1, 1000 do shortened[i] = i end
    for i = 1000, 31, -1 do shortened[i] = nil end
    assert.equal(30, #shortened)
    assert.same(shortened, (sent(shortened)))
  end)

  it("keep lists whose items lie in the hash part", function()
    local t = {}
    for i = 20, 1, -1 do t[i] = i end
    assert.same(t, (sent(t)))
    local sparse = {}
    for i = 0, 30 do sparse[1 << i] = i end
    assert.same(sparse, (sent(sparse)))
  end)

  it("may be nested 150000 deep, and beyond a limit are refused", function()
    local list
    for _ = 1, 150000 do list = { list } end
    local depth, back = 0, sent(list)
    while back do depth, back = depth + 1, back[1] end
    assert.equal(150000, depth)
    for _ = 1, 400000 do list = { next = list } end
    local good, message = pcall(wire.encode, list)
    assert.is_false(good)
    assert.matches("nested too deep", message, 1, true)
  end)

  it("stand for the globals where they are the globals", function()
    assert.equal(_G, (sent(_G)))
    assert.equal(_G, sent({ x = { _G } }).x[1])
  end)
end)

describe("a slice of a list", function()
  it("crosses as a list of its own", function()
    local list = { "a", "b", { 3 }, 4, 5, 6 }
    assert.same({ "b", { 3 }, 4 }, (wire.decode(wire.encode_slice(list, 2, 4))))
    assert.same({}, (wire.decode(wire.encode_slice(list, 4, 3))))
    assert.same({ 4, 5, 6 }, (wire.decode(wire.encode_slice(list, 4, 6))))
    assert.same({ "a" }, (wire.decode(wire.encode_slice(list, 1, 1))))
  end)

  it("is refused with the number of the item", function()
    local good, message = pcall(wire.encode_slice, { 1, 2, { f = io.stdout } }, 2, 3)
    assert.is_false(good)
    assert.equal("argument 1: field .f of item 3 is an open file and cannot be sent to a worker",
      message)
  end)
end)
