local wire = require "host.wire"

--- The error that sending the values raises.
local function refusal(...)
  local good, message = pcall(wire.encode, ...)
  assert.is_false(good)
  return message
end

local CANNOT = " and cannot be sent to a worker"

local function here()
  return "spec/host/wire/refuse_spec.lua:" .. debug.getinfo(2, "l").currentline
end

describe("what cannot be sent", function()
  it("is named with its path through fields", function()
    assert.equal("argument 2: field .model.solver.log is an open file" .. CANNOT,
      refusal(1, { model = { solver = { log = io.stdout } } }))
    assert.equal([[argument 1: field ["odd key"][3].x is an open file]] .. CANNOT,
      refusal { ["odd key"] = { 1, 2, { x = io.stdout } } })
    assert.equal("argument 1: field [2.5][true] is an open file" .. CANNOT,
      refusal { [2.5] = { [true] = io.stdout } })
  end)

  it("is named alone where it is the argument", function()
    assert.equal("argument 1 is an open file" .. CANNOT, refusal(io.stdout))
  end)

  it("is named with the upvalue and the function that has it", function()
    local log = io.stdout
    local function f() return log end
    local where = here():gsub("%d+$", function(n) return n - 1 end)
    assert.equal(("argument 1: upvalue 'log' of function <%s> is an open file"):format(where)
      .. CANNOT, refusal(f))
    assert.equal(("argument 1: upvalue 'log' of function solve (%s) in field .model.solve is an "
      .. "open file"):format(where) .. CANNOT, refusal { model = { solve = f } })
    local state = { out = { log } }
    local function g() return state end
    where = here():gsub("%d+$", function(n) return n - 1 end)
    assert.equal(("argument 1: field .out[1] of upvalue 'state' of function <%s> is an open file")
      :format(where) .. CANNOT, refusal(g))
  end)

  it("is named in metatables, classes and keys", function()
    assert.equal("argument 1: field .log of the metatable of field .x is an open file" .. CANNOT,
      refusal { x = setmetatable({}, { log = io.stdout }) })
    local Class = { log = io.stdout }
    Class.__index = Class
    assert.equal("argument 1: field .log of the metatable of field [1] is an open file" .. CANNOT,
      refusal { setmetatable({}, Class) })
    assert.equal("argument 1: a key of field .x is an open file" .. CANNOT,
      refusal { x = { [io.stdout] = 1 } })
  end)

  it("may be a coroutine, a C function without a name, or a userdata", function()
    assert.equal("argument 1: field .co is a coroutine" .. CANNOT
      .. "; send the function that it runs", refusal { co = coroutine.create(print) })
    assert.equal("argument 1 is a C function without a name" .. CANNOT
      .. "; call it through its module", refusal(io.lines("/dev/null")))
    assert.equal("argument 1 is a userdata of neap.wire.reader" .. CANNOT
      .. "; make it on the worker", refusal(wire.reader()))
    local file = io.tmpfile()
    file:close()
    assert.equal("argument 1 is a closed file" .. CANNOT, refusal(file))
  end)

  it("is named with a path that has an end, however deep it lies", function()
    local t = io.stdout
    for _ = 1, 10000 do t = { next = t } end
    local message = refusal(t)
    assert.is_true(#message < 1000)
    assert.matches("field .next.next", message, 1, true)
    assert.matches(".next is an open file", message, 1, true)
  end)

  it("leaves nothing behind: what comes next is sent", function()
    local object = { io.stdout }
    refusal(object)
    object[1] = "good"
    assert.same({ "good" }, (wire.decode(wire.encode(object))))
  end)

  it("is a handle that was removed", function()
    local peer <close> = wire.peer()
    local handle = peer:push({})
    handle:remove()
    assert.has_error(function() peer:call(function() end, { u = handle }) end,
      "argument 1: field .u is a RemoteObject that was removed and cannot be sent to a worker")
  end)
end)
