std = "lua54"
max_line_length = 100
files["spec"] = { std = "lua54+busted" }
files[".busted"] = { std = "lua54" }
