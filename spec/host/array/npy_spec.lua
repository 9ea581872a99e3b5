local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
require "spec.support.arrays"

-- An .npy file of NumPy's making, byte by byte.
local function npy(descr, fortran, shape, data, options)
  options = options or {}
  local version = options.version or 1
  local header = options.header or ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }")
    :format(descr, fortran and "True" or "False", shape)
  local prefix = version == 1 and 10 or 12
  header = header .. (" "):rep(-(prefix + #header + 1) % 64) .. "\n"
  return "\x93NUMPY" .. string.char(version, 0)
    .. string.pack(version == 1 and "<I2" or "<I4", #header) .. header .. data
end

describe(".npy files", function()
  leaks.watch(before_each, after_each)
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function load(bytes, options)
    command.write(bytes, path)
    return neap.load(path, options)
  end

  local function message(bytes, options)
    command.write(bytes, path)
    local ok, why = pcall(neap.load, path, options)
    assert.is_false(ok)
    assert.equal(path .. ": ", why:sub(1, #path + 2))
    return (why:sub(#path + 3))
  end

  it("are read in all types of numbers and both byte orders", function()
    for _, case in ipairs {
      { "<f8", "<dddd" }, { ">f8", ">dddd" }, { "<f4", "<ffff" }, { ">f4", ">ffff" },
      { "<i8", "<i8i8i8i8" }, { ">i8", ">i8i8i8i8" }, { "<i4", "<i4i4i4i4" },
      { ">i4", ">i4i4i4i4" }, { "<i2", "<i2i2i2i2" }, { ">i2", ">i2i2i2i2" },
      { "|i1", "i1i1i1i1" },
    } do
      local U = load(npy(case[1], true, "(2, 2)", string.pack(case[2], 1, -2, 3, 127)))
      assert.close_arrays({ { 1, -2 }, { 3, 127 } }, U)
    end
    for _, case in ipairs { { "<u4", "<I4I4" }, { ">u8", ">I8I8" }, { "|u1", "I1I1" } } do
      local data = string.pack(case[2], 1, 200)
      assert.close_arrays({ { 1, 200 } }, load(npy(case[1], false, "(2,)", data)))
    end
    local U = load(npy("<u4", false, "(1,)", "\xff\xff\xff\xff"))
    assert.equal(2 ^ 32 - 1, U:get(1, 1))
  end)

  it("are read by columns and by rows", function()
    local data = string.pack("<dddddd", 1, 2, 3, 4, 5, 6)
    assert.close_arrays({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, load(npy("<f8", true, "(2, 3)", data)))
    assert.close_arrays({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, load(npy("<f8", false, "(2, 3)", data)))
    local M = load(npy("<f8", false, "(2, 3)", data), { as = "Matrix" })
    assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, M:to_table())
  end)

  it("are read in versions 1, 2 and 3, and of one dimension", function()
    local data = string.pack("<ddd", 1, 0 / 0, math.huge)
    for version = 1, 3 do
      local U = load(npy("<f8", false, "(3,)", data, { version = version }))
      assert.equal(3, U.dim)
      assert.equal(1, #U)
      assert.close_arrays({ { 1, 0 / 0, math.huge } }, U)
    end
  end)

  it("are read with other spellings of the header", function()
    local data = string.pack("<dd", 1, 2)
    for _, header in ipairs {
      [[{"shape": (2L,), "fortran_order": False, "descr": "<f8"}]],
      [[{ 'fortran_order' :True,'shape':(2, 1),'descr':'<f8' , }   ]],
    } do
      assert.close_arrays({ { 1, 2 } }, load(npy(nil, nil, nil, data, { header = header })))
    end
  end)

  it("may be empty", function()
    for _, shape in ipairs { "(0,)", "(0, 3)", "(3, 0)" } do
      local U = load(npy("<f8", true, shape, ""))
      assert.equal(0, U.dim * #U)
    end
  end)

  it("may be larger than what is read at a time", function()
    local n, pieces = 50001, {}
    for i = 1, n do pieces[i] = string.pack("<i4i4", i, -i) end
    local U = load(npy("<i4", false, ("(%d, 2)"):format(n), table.concat(pieces)))
    assert.equal(n, U.dim)
    for _, i in ipairs { 1, 16384, 16385, 32768, 32769, n } do
      assert.equal(i, U:get(i, 1))
      assert.equal(-i, U:get(i, 2))
    end
  end)

  it("are written as NumPy writes them", function()
    local U = neap.VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
    local plain = path
    path = path .. ".npy"
    finally(function() os.remove(plain) end)
    neap.save(path, U)
    local data = string.pack("<dddddd", 1, 2, 3, 4, 5, 6)
    assert.equal(npy("<f8", true, "(3, 2)", data), command.slurp(path))
    assert.equal(0, (lfs.attributes(path, "size") - #data) % 64)
    neap.save(path, neap.Matrix.from_table { { 1, 4 }, { 2, 5 }, { 3, 6 } })
    assert.equal(npy("<f8", true, "(3, 2)", data), command.slurp(path))
    neap.save(path, U[{ 2, 1 }])
    assert.close_arrays({ { 4, 5, 6 }, { 1, 2, 3 } }, neap.load(path))
    neap.save(path, neap.VectorArray.zeros(3, 0))
    assert.equal(3, neap.load(path).dim)
  end)

  it("of the reference data are written again byte by byte", function()
    local count = 0
    for folder in lfs.dir("spec/reference") do
      folder = "spec/reference/" .. folder
      if lfs.attributes(folder, "mode") == "directory" then
        for name in lfs.dir(folder) do
          if name:find("%.npy$") then
            neap.save(path .. ".npy", neap.load(folder .. "/" .. name))
            assert.equal(command.slurp(folder .. "/" .. name), command.slurp(path .. ".npy"), name)
            count = count + 1
          end
        end
      end
    end
    os.remove(path .. ".npy")
    assert.is_true(count > 5)
  end)

  it("are refused when they are cut short, wherever", function()
    local whole = npy("<f8", true, "(2, 1)", string.pack("<dd", 1, 2))
    assert.equal("file is empty", message(""))
    for len = 6, #whole - 1 do
      assert.matches("^byte %d+: ", message(whole:sub(1, len)))
    end
    assert.equal("byte 136: file ends in the numbers, 8 bytes early", message(whole:sub(1, -9)))
  end)

  it("may be complex, of both widths, byte orders and layouts", function()
    local i = neap.complex(0, 1)
    for _, case in ipairs { { "<c16", "<dddd" }, { ">c16", ">dddd" }, { "<c8", "<ffff" },
                            { ">c8", ">ffff" } } do
      local U = load(npy(case[1], false, "(2,)", string.pack(case[2], 1, 2, 0, -1)))
      assert.is_true(U.is_complex)
      assert.close_arrays({ { 1 + 2 * i, -i } }, U)
    end
    local four = string.pack("<dddddddd", 1, 0, 2, 1, 3, 0, 4, -1)
    assert.close_arrays({ { 1, 2 + i }, { 3, 4 - i } }, load(npy("<c16", true, "(2, 2)", four)))
    assert.close_arrays({ { 1, 3 }, { 2 + i, 4 - i } }, load(npy("<c16", false, "(2, 2)", four)))
    local M = load(npy("<c16", false, "(2, 2)", four), { as = "Matrix" })
    assert.close_arrays({ { 1, 2 + i }, { 3, 4 - i } }, M)
    assert.equal("byte 184: file ends in the numbers, 8 bytes early",
      message(npy("<c16", true, "(2, 2)", four:sub(1, -9))))
    assert.equal(0, #load(npy("<c16", true, "(3, 0)", "")))
  end)

  it("of complex arrays are NumPy's", function()
    local U = neap.VectorArray.from_table { { neap.complex(1, 2), 3 }, { 4, 5 } }
    neap.save(path .. ".npy", U)
    local bytes = command.slurp(path .. ".npy")
    os.remove(path .. ".npy")
    local numbers = string.pack("<dddddddd", 1, 2, 3, 0, 4, 0, 5, 0)
    assert.equal(npy("<c16", true, "(2, 2)", numbers), bytes)
    neap.save(path .. ".npy", U[{ 2, 1 }])
    assert.close_arrays(U[{ 2, 1 }], neap.load(path .. ".npy"))
    os.remove(path .. ".npy")
    local ok, why = pcall(neap.save, path .. ".csv", U)
    assert.is_false(ok)
    assert.matches("complex numbers are saved as .npy, .mtx, .mtx.gz or in a .mat", why)
  end)

  it("are refused with the place and the reason", function()
    local two = string.pack("<dd", 1, 2)
    local function header(text) return message(npy(nil, nil, nil, two, { header = text })) end
    assert.equal("byte 144: end of the file expected after the numbers",
      (message(npy("<f8", true, "(2,)", two .. "x"))))
    assert.matches("^byte 8: version 4.0 is not known", message(npy("<f8", true, "(2,)", two,
      { version = 4 })))
    assert.equal("byte 128: header, character 17: numbers of type '<c32' are not supported "
      .. "(f4, f8, c8, c16, i1 to i8, u1 to u8 are)", message(npy("<c32", true, "(1,)", two)))
    assert.matches("numbers of type '|O' are not supported", message(npy("|O", true, "(1,)", two)))
    assert.matches("header, character 11: a plain type of numbers expected",
      header("{'descr': [('a', '<f8')], }"))
    assert.matches("'shape' is missing", header("{'descr': '<f8', 'fortran_order': True}"))
    assert.matches("unknown key 'x'", header("{'x': 1}"))
    assert.matches("character 1: '{' expected", header("import os"))
    assert.matches("True or False expected", header("{'fortran_order': 1}"))
    assert.matches("dimension expected", header("{'shape': (-1,)}"))
    assert.matches("'%)' expected", header("{'shape': (1 2)}"))
    assert.matches("string without end", header("{'descr': '<f8"))
    assert.matches("one or two dimensions expected, got more", header("{'shape': (1, 1, 2)}"))
    assert.matches("one or two dimensions expected, got none", header("{'shape': ()}"))
    assert.matches("end of the header expected",
      header("{'descr': '<f8', 'fortran_order': True, 'shape': (2,)} 1"))
    assert.matches("header has a 0 byte", header("{'descr': \0"))
    assert.matches("dimension is too large", header("{'shape': (99999999999999999999,)}"))
    assert.matches("shape is too large",
      header("{'descr': '<f8', 'fortran_order': True, 'shape': (4000000000, 4000000000)}"))
    assert.matches("shape: more than a file of this size can hold",
      header("{'descr': '<f8', 'fortran_order': True, 'shape': (100000, 100000)}"))
    assert.matches("header of 4294967295 bytes is too long",
      message("\x93NUMPY\2\0\xff\xff\xff\xff" .. two))
    assert.matches("holds a dense array and cannot be loaded as a SparseMatrix",
      message(npy("<f8", true, "(2,)", two), { as = "SparseMatrix" }))
  end)
end)
