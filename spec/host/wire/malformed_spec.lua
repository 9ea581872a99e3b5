local neap = require "neap"
local wire = require "host.wire"

--- The message without its list of definitions, as pools send it where none are needed.
local function bare(bytes)
  return bytes:sub(1, 16) .. ("<I8"):pack(("<I8"):unpack(bytes, 17) - 4) .. bytes:sub(25, 33) ..
    "\0" .. bytes:sub(35, -5)
end

--- Messages that have everything in them.
local function samples()
  local shared, n = { "shared" }, 0
  local Class = { __name = "Sample" }
  Class.__index = Class
  function Class:count()
    n = n + 1
    return n, self
  end
  local cycle = { 1, 2.5, "text", x = -1, [true] = shared, shared }
  cycle.self = cycle
  local U, W = neap.VectorArray.ones(3, 2), neap.VectorArray.ones(2, 9)
  return {
    wire.encode(nil, true, 1, -1, 1 << 60, 1.5, "", ("long"):rep(20)),
    bare(wire.encode(nil, true, 1, -1, 1.5, "", ("long"):rep(20))),
    wire.encode(cycle, { 1, 2, 3, y = "z" }, { 1.5, 2.5 }),
    wire.encode(function() return n end, function() n = n + 1 end, math.sin, string),
    wire.encode({ setmetatable({}, Class), setmetatable({}, Class) }),
    wire.encode(neap.immutable { 1, { x = 2 } }, setmetatable({ 1 }, { __mode = "k" })),
    wire.encode({ U, U, U[1] }, neap.Matrix.identity(2), neap.VectorArray.ones(1000, 2)),
    wire.encode(W:slice(2, 6, 2), W[4], W[{ 6, 2 }], W[9], W, W[{ 1, 3 }]),
    wire.encode(W:slice(1, 4), W:slice(3, 7), W[{ 9, 8 }]),
  }
end

--- Decoding the bytes gives values or an error, and nothing else.
local function survives(bytes)
  local good, message = pcall(wire.decode, bytes)
  if not good then assert.is_string(message) end
  return good, message
end

describe("a malformed message", function()
  local path, cpath

  before_each(function()
    path, cpath = package.path, package.cpath
    package.path, package.cpath = "", "" -- a changed name must not load what it finds
  end)

  after_each(function()
    package.path, package.cpath = path, cpath
  end)

  it("is an error wherever it is cut", function()
    for _, bytes in ipairs(samples()) do
      assert.is_true(survives(bytes))
      for n = 0, #bytes - 1, #bytes > 5000 and 97 or 1 do
        local good, message = survives(bytes:sub(1, n))
        assert.is_false(good)
        assert.matches("malformed message", message, 1, true)
      end
      assert.is_false((survives(bytes .. "\0")))
    end
  end)

  it("is an error or a value whatever byte is changed", function()
    for _, bytes in ipairs(samples()) do
      for i = 1, #bytes, #bytes > 5000 and 97 or 1 do
        for _, flip in ipairs { 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff } do
          survives(bytes:sub(1, i - 1) .. string.char(bytes:byte(i) ~ flip) .. bytes:sub(i + 1))
        end
      end
    end
  end)

  it("is an error or a value when bytes are lost or come twice", function()
    math.randomseed(4)
    for _, bytes in ipairs(samples()) do
      for _ = 1, 300 do
        local i, n = math.random(33, #bytes), math.random(1, 8)
        local changed = math.random(2) == 1 and bytes:sub(1, i) .. bytes:sub(i + n)
          or bytes:sub(1, i) .. bytes:sub(math.max(33, i - n))
        -- The header tells the new length, so that the decoder sees the rest.
        survives(changed:sub(1, 16) .. ("<I8"):pack(math.max(0, ("<I8"):unpack(bytes, 17)
          + #changed - #bytes)) .. changed:sub(25))
      end
    end
  end)

  --- The bytes of a parcel with these values in it, as a message.
  local function message(n, values)
    local parcel = ("<BBI2I4I8"):pack(1, 0, 0, n, 16 + #values) .. values
    return ("<c4BBI2I8I8I4I4"):pack("neap", 0, 0, 0, 0, #parcel, 0, 0) .. parcel
  end

  it("says what is wrong and where", function()
    local function wrong(n, values)
      local good, text = pcall(wire.decode, message(n, values))
      assert.is_false(good)
      return text:match("malformed message: .*")
    end
    assert.equal("malformed message: bytes after the end at byte 16", wrong(0, "\0"))
    assert.equal("malformed message: more values than bytes at byte 16", wrong(2, "\0"))
    assert.equal("malformed message: reference to nothing at byte 18", wrong(1, "\6\16"))
    assert.equal("malformed message: length beyond the end at byte 18", wrong(1, "\5\9"))
    assert.equal("malformed message: unknown value at byte 16", wrong(1, "\31"))
    assert.equal("malformed message: more fields than bytes at byte 21",
      wrong(1, "\9\255\255\255\255"))
    assert.equal("malformed message: more fields than bytes at byte 25",
      wrong(1, "\8\255\255\255\127\0\0\0\0"))
    assert.equal("malformed message: more numbers than bytes at byte 25",
      wrong(1, "\10\255\255\255\127\0\0\0\0"))
    assert.equal("malformed message: nil or nan as a key at byte 22", wrong(1, "\9\1\0\0\0\0\0"))
    assert.equal("malformed message: number too long at byte 27",
      wrong(1, "\3" .. ("\255"):rep(10)))
    assert.equal("malformed message: a function of unknown code at byte 19", wrong(1, "\17\1\0"))
    assert.equal("malformed message: a name that is no string at byte 17",
      wrong(1, ("\18"):rep(4000000))) -- not a name of a name of a name ..., read to the end
  end)

  it("makes no table larger than itself allows", function()
    collectgarbage()
    -- Each table of the nest promises as many items as bytes follow, which only one can keep.
    local list, rest = {}, 9 * 20000
    for i = 1, 20000 do
      rest = rest - 9
      list[i] = ("<BI4I4"):pack(8, math.max(rest - 1, 0), 0)
    end
    local before = collectgarbage("count")
    assert.is_false((survives(message(1, table.concat(list)))))
    assert.is_true(collectgarbage("count") - before < 20000)
  end)
end)
