# Completion of agent-dispatch for Elvish: eval (agent-dispatch completions elvish | slurp)

use str

set edit:completion:arg-completer[agent-dispatch] = {|@words|
  e:agent-dispatch __complete $@words 2>/dev/null | each {|line|
    var value description = (str:split &max=2 "\t" $line"\t")
    if (eq (str:trim-space $description) '') {
      edit:complex-candidate $value
    } else {
      edit:complex-candidate $value &display=$value' ('(str:trim-space $description)')'
    }
  }
}
