local command = require "spec.support.command"
local leaks = require "spec.support.leaks"

describe("modules", function()
  leaks.watch(before_each, after_each)

  it("loads C modules of others", function()
    local lfs = require "lfs"
    assert.equal("directory", lfs.attributes("/", "mode"))
    assert.is_boolean(require "term".isatty(io.stdout))
  end)

  it("finds neap whatever LUA_PATH says, and before what lies around", function()
    local folder, remove = command.folder()
    command.write("return 'another one'", folder .. "/neap.lua")
    local run = command.run("cd " .. folder
      .. " && LUA_PATH='./?.lua' %neap% -e 'print(type(require [[neap]]))'")
    remove()
    assert.same({ out = "table\n", err = "", code = 0 }, run)
  end)

  it("says where it looked for a module of neap that is not there", function()
    local ok, message = pcall(require, "neap.no_such_module")
    assert.is_false(ok)
    assert.matches("no file '.*/neap/no_such_module.lua'", message)
  end)

  it("takes the Lua files beside an installed executable, and names what fails there", function()
    local prefix, remove = command.folder()
    assert(os.execute(("cd %s && mkdir -p bin share/neap/lua/neap && cp %s bin/neap")
      :format(prefix, command.quote(command.neap))))
    local init = prefix .. "/share/neap/lua/neap/init.lua"
    command.write("return 'installed'", init)
    local good = command.run("cd / && " .. prefix .. "/bin/neap -e 'print((require [[neap]]))'")
    command.write("return return", init)
    local bad = command.run("cd / && " .. prefix .. "/bin/neap -l neap")
    remove()
    assert.same({ out = "installed\n", err = "", code = 0 }, good)
    assert.equal(1, bad.code)
    assert.matches("^neap: error loading module 'neap' from file '.*/neap/init.lua'", bad.err)
    assert.matches(init .. ":1: unexpected symbol near 'return'", bad.err, 1, true)
  end)
end)
