local command = require "spec.support.command"
local terminal = require "spec.support.terminal"
local leaks = require "spec.support.leaks"

describe("the prompt", function()
  leaks.watch(before_each, after_each)

  local state, remove_state
  before_each(function() state, remove_state = command.folder() end)
  after_each(function() remove_state() end)

  --- At the first prompt, with a history of its own.
  local function open(prefix)
    local t = terminal.open(("env XDG_STATE_HOME=%s %s %%neap%%"):format(state, prefix or ""))
    t:expect("PUC-Rio\n")
    t:expect("> ")
    return t
  end

  local function close(t)
    t:type("\4")
    local _, code = t:close()
    assert.equal(0, code)
  end

  it("prints the values of expressions", function()
    local t = open()
    t:type("6 * 7, 'and', nil\r")
    t:expect("42\tand\tnil\n> ")
    t:type("= 2^10\r")
    t:expect("1024.0\n> ")
    t:type("x = 3\r")
    t:expect("\n> ")
    t:type("x + 1\r")
    t:expect("\n4\n> ")
    close(t)
  end)

  it("continues input that is not complete", function()
    local t = open()
    t:type("function f(a)\r")
    t:expect("\n>> ")
    t:type("return a + 1\r")
    t:expect("\n>> ")
    t:type("end\r")
    t:expect("\n> ")
    t:type("f(1)\r")
    t:expect("\n2\n> ")
    close(t)
  end)

  it("has neap at hand", function()
    local t = open()
    t:type("neap == require 'neap'\r")
    t:expect("\ntrue\n> ")
    close(t)
  end)

  it("keeps what was defined after an error, which shows its traceback", function()
    local t = open()
    t:type("function f() error('oh') end; kept = 5\r")
    t:expect("\n> ")
    t:type("f()\r")
    t:expect("\nstdin:1: oh\nstack traceback:")
    t:expect("in function 'f'")
    t:expect("\n> ")
    t:type("a b\r")
    t:expect("\nstdin:1: syntax error near 'b'\n> ")
    t:type("kept\r")
    t:expect("\n5\n> ")
    close(t)
  end)

  it("clears the line on Ctrl-C, and the whole chunk", function()
    local t = open()
    t:type("error('typed and taken back')")
    t:expect("back')")
    t:type("\3")
    t:expect("^C\n> ")
    t:type("for i = 1, 3 do\r")
    t:expect(">> ")
    t:type("\3")
    t:expect("^C\n> ")
    t:type("'still here'\r")
    t:expect("\nstill here\n> ")
    close(t)
  end)

  it("stops running code on Ctrl-C, as often as wanted", function()
    local t = open()
    for _ = 1, 3 do
      t:type("print('run' .. 'ning'); while true do end\r")
      t:expect("\nrunning\n")
      t:type("\3")
      t:expect("interrupted!\nstack traceback:")
      t:expect("\n> ")
    end
    close(t)
  end)

  it("ends at Ctrl-D, and by os.exit with its code", function()
    close(open())
    local t = open()
    t:type("os.exit(7)\r")
    local _, code = t:close()
    assert.equal(7, code)
  end)

  it("remembers chunks from session to session", function()
    local t = open()
    t:type("first = 1\r")
    t:expect("\n> ")
    t:type("do\r")
    t:expect(">> ")
    t:type("print('se' .. 'cond') end\r")
    t:expect("\nsecond\n> ")
    close(t)
    t = open()
    t:type("\27[A\r")
    t:expect("\nsecond\n> ")
    t:type("\27[A\27[A\r")
    t:expect("first = 1\n")
    t:expect("> ")
    t:type("first\r")
    t:expect("\n1\n> ")
    close(t)
    assert.equal("rw-------",
      require "lfs".attributes(state .. "/neap/history", "permissions"))
  end)

  it("works where nothing can be remembered", function()
    local t = open("env -u HOME XDG_STATE_HOME=relative")
    t:type("1 + 1\r")
    t:expect("\n2\n> ")
    close(t)
  end)

  it("reads plainly at a terminal that cannot edit", function()
    local t = open("env TERM=dumb")
    t:type("1 + 1\n")
    t:expect("\n2\n> ")
    t:type("12\3")
    t:expect("\n> ")
    t:type("3\n")
    t:expect("\n3\n> ")
    close(t)
  end)

  it("takes text in the user's encoding", function()
    local t = open("env LC_ALL=C.UTF-8")
    t:type("#'gr\u{fc}n'\r")
    t:expect("\n5\n> ")
    close(t)
  end)
end)

describe("the prompt on a pipe", function()
  leaks.watch(before_each, after_each)

  local function run(input, options)
    return command.run(("printf %%s %s | %%neap%% %s -i"):format(command.quote(input),
      options or ""))
  end
  local plain = [[-e "_PROMPT='' _PROMPT2=''"]]

  it("runs chunk by chunk under -i", function()
    local got = run("(6*2-6) -- ===\na =\n10\nprint(a)\na\n", plain)
    assert.matches("PUC%-Rio\n6\n10\n10\n\n$", got.out)
    assert.same({ "", 0 }, { got.err, got.code })
  end)

  it("takes values of several lines", function()
    assert.matches("\nb\nc\n\n$", run("a = [[b\nc]]\na", plain).out)
  end)

  it("shows its prompts, which the user may set", function()
    assert.matches("\n> > > \n$", run(" --\na = 2\n").out)
    assert.matches("\n> >> > \n$", run("a =\n2\n").out)
    assert.matches("\nmoremoremore\n$", run(" --\na = 2\n", "-e \"_PROMPT='more'\"").out)
    local object = [[-e "local n = 0
      _PROMPT = setmetatable({}, {__tostring = function() n = n + 1; return '<' .. n .. '>' end})"]]
    assert.matches("\n<1><2><3>\n$", run(" --\na = 2\n", object).out)
  end)

  it("says what is missing where input ends within a chunk", function()
    assert.matches("^stdin:1: .* near <eof>\n$", run("a.\n").err)
  end)

  it("says that print fails", function()
    assert.equal("error calling 'print' (attempt to call a nil value)\n",
      run("10\n", "-e 'print=nil'").err)
  end)
end)
