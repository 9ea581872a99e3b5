describe("options", function()
  local options = require "neap.options"
  local spec = { atol = 0.0, method = "x", pool = options.any }

  local function f(given) return (options.parse(given, spec, 2)) end

  it("fills in defaults", function()
    assert.same({ atol = 0.0, method = "x" }, f())
    assert.same({ atol = 1, method = "x", pool = 7 }, f { atol = 1, pool = 7 })
  end)

  it("names an unknown option and the known ones, in the caller's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() local r = f { atoll = 1 } return r end)
    assert.is_false(ok)
    assert.matches(("spec.lua:%d: unknown option 'atoll' (known: atol, method, pool)")
      :format(line), message, 1, true)
  end)

  it("refuses a value of another type", function()
    assert.error_matches(function() f { atol = "small" } end,
      "option 'atol': number expected, got string", 1, true)
    assert.error_matches(function() f(3) end, "options: table expected, got number", 1, true)
  end)
end)
