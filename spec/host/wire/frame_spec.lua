local wire = require "host.wire"

-- An entry of the table: length, origin, descriptor, flags.
local ENTRY = "<I8I8I4I4"

--- A message as bytes.
---@param m { type: integer, flags: integer, request: integer, bytes: string, blocks: string[] }
local function frame(m)
  local parts = { string.pack("<c4BBI2I8I8I4I4", "neap", m.type, m.flags, 0, m.request, #m.bytes,
    #m.blocks, 0) }
  for _, block in ipairs(m.blocks) do parts[#parts + 1] = string.pack(ENTRY, #block, 0, 0, 0) end
  parts[#parts + 1] = m.bytes
  for _, block in ipairs(m.blocks) do parts[#parts + 1] = block end
  return table.concat(parts)
end

local messages = {
  { type = 1, flags = 0, request = 1, bytes = "", blocks = {} },
  { type = 2, flags = 255, request = -1, bytes = "some bytes", blocks = {} },
  { type = 3, flags = 1, request = 1 << 40, bytes = "", blocks = { "one" } },
  { type = 255, flags = 7, request = 9, bytes = ("x"):rep(1000), blocks = { "a", ("b"):rep(300) } },
  { type = 0, flags = 0, request = 0, bytes = ("y"):rep(70000), blocks = { ("z"):rep(66000) } },
}

local function stream()
  local list = {}
  for i, m in ipairs(messages) do list[i] = frame(m) end
  return table.concat(list)
end

--- Feeds the bytes in pieces of the lengths that next_length gives; the messages that come out.
local function read(bytes, next_length)
  local reader <close> = wire.reader()
  local list, at = {}, 1
  while at <= #bytes do
    local n = next_length()
    assert.is_true(reader:feed(bytes:sub(at, at + n - 1)))
    at = at + n
    for m in function() return reader:next() end do list[#list + 1] = m end
  end
  assert.is_true(reader:is_idle())
  return list
end

describe("a frame reader", function()
  it("reads messages that come whole", function()
    assert.same(messages, read(stream(), function() return 1 << 30 end))
  end)

  it("reads messages that come one byte at a time", function()
    assert.same(messages, read(stream(), function() return 1 end))
  end)

  it("reads messages that come in pieces of any length", function()
    for seed = 1, 10 do
      math.randomseed(seed)
      local largest = 10 ^ math.random(2, 5) // 1
      assert.same(messages, read(stream(), function() return math.random(1, largest) end))
    end
  end)

  it("reads a message of several megabytes", function()
    local m = { type = 1, flags = 0, request = 1, bytes = ("abc"):rep(1500000), blocks = { "x" } }
    assert.same({ m, m }, read(frame(m) .. frame(m), function() return 1 << 30 end))
    assert.same({ m }, read(frame(m), function() return 100001 end))
  end)

  it("knows whether a message has begun", function()
    local reader <close> = wire.reader()
    assert.is_true(reader:is_idle())
    local bytes = frame(messages[4])
    for i = 1, #bytes do
      assert.is_nil(reader:next())
      reader:feed(bytes:sub(i, i))
      assert.equal(i == #bytes, reader:is_idle())
    end
    assert.same(messages[4], reader:next())
  end)

  it("refuses what is no header", function()
    for at, byte in pairs { [1] = "N", [7] = "\1", [8] = "\1", [29] = "\1", [32] = "\1" } do
      local reader <close> = wire.reader()
      local bytes = frame(messages[2])
      local good, message, code = reader:feed(bytes:sub(1, at - 1) .. byte .. bytes:sub(at + 1))
      assert.is_nil(good)
      assert.is_string(message)
      assert.equal("EPROTO", code)
    end
  end)

  it("refuses messages beyond its limit, and lengths that lie", function()
    local function refused(bytes, limit)
      local reader <close> = wire.reader(limit)
      local good, message, code = reader:feed(bytes)
      assert.is_nil(good)
      assert.equal("EPROTO", code)
      assert.is_nil(reader:next())
      assert.is_nil((reader:feed("more")))
      return message
    end
    local m = { type = 1, flags = 0, request = 1, bytes = ("x"):rep(100), blocks = { "12345" } }
    assert.matches("message too long", refused(frame(m), 104), 1, true)
    local reader <close> = wire.reader(105)
    assert.is_true(reader:feed(frame(m)))
    local head = "<c4BBI2I8I8I4I4"
    assert.matches("message too long", refused(head:pack("neap", 1, 0, 0, 1, -1, 0, 0)), 1, true)
    assert.matches("too many blocks",
      refused(head:pack("neap", 1, 0, 0, 1, 0, 0xffffffff, 0), 1000), 1, true)
    assert.matches("empty block",
      refused(head:pack("neap", 1, 0, 0, 1, 0, 1, 0) .. ENTRY:pack(0, 0, 0, 0)), 1, true)
    assert.matches("message too long",
      refused(head:pack("neap", 1, 0, 0, 1, 0, 1, 0) .. ENTRY:pack(-1, 0, 0, 0)), 1, true)
  end)

  it("refuses descriptors where none can come, and entries that refer to none", function()
    local head = "<c4BBI2I8I8I4I4"
    for bytes, expected in pairs {
      [head:pack("neap", 1, 0, 1, 1, 0, 0, 0)] = "too many descriptors (1)",
      [head:pack("neap", 0, 0, 33, 1, 0, 0, 0)] = "too many descriptors (33)",
      [head:pack("neap", 1, 0, 0, 1, 0, 1, 0) .. ENTRY:pack(8, 0, 1, 0)] =
        "no such descriptor (1)",
      [head:pack("neap", 1, 0, 0, 1, 0, 1, 0) .. ENTRY:pack(8, 0, 0, 1)] = "stray patch (0)",
      [head:pack("neap", 1, 0, 0, 1, 0, 1, 0) .. ENTRY:pack(8, 0, 0, 2)] = "unknown flags (2)",
    } do
      local reader <close> = wire.reader()
      local good, message, code = reader:feed(bytes)
      assert.is_nil(good)
      assert.equal(expected, message)
      assert.equal("EPROTO", code)
    end
  end)

  it("takes no memory for blocks that are only announced", function()
    local reader <close> = wire.reader()
    local head = ("<c4BBI2I8I8I4I4"):pack("neap", 1, 0, 0, 1, 0, 0xffffffff, 0)
    assert.is_true(reader:feed(head .. ENTRY:pack(5, 0, 0, 0)))
    assert.is_false(reader:is_idle())
  end)

  it("is closed for good", function()
    local reader = wire.reader()
    reader:feed("neap")
    reader:close()
    reader:close()
    assert.error_matches(function() reader:feed("x") end, "reader is closed", 1, true)
  end)
end)
