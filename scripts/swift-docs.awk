# Faults of Swift's documentation comments, one a line, "file:line: what is wrong".
#
#   awk -f swift-docs.awk FILE...
#
# A `package` declaration needs a comment before it (`///`) that says more than its name does. None is needed by what
# a protocol of the standard library prescribes (==, <, hash, description, rawValue), in an extension that conforms to a
# protocol, by an error number that is called what the C library calls it, nor by an initializer that only assigns. No line that holds a comment is longer than 100 characters, but for one that is an address.

FNR == 1 { check(); count = 0; file = FILENAME }
{ line[++count] = $0 }
END { check() }

function check(    i, text, conforms) {
  for (i = 1; i <= count; i++) {
    text = line[i]
    if (text ~ /^[a-z ]*extension [A-Za-z.]+:/) conforms = 1
    if (text ~ /^}/) conforms = 0
    if (text ~ /\/\// && text !~ /[a-z]:\/\// && characters(text) > 100) fault(i, "a comment is in a line of more than 100 characters")
    if (name(text) != "" && !conforms && !is_prescribed(text)) declaration(i)
  }
}

# Bytes that go on with a character are not counted.
function characters(text) {
  gsub(/[\200-\277]/, "", text)
  return length(text)
}

function fault(number, text) { print file ":" number ": " text }

# The name that a line declares for other modules; empty where it declares none.
function name(text,    words, n, i, found) {
  sub(/^[ \t]+/, "", text)
  gsub(/@[A-Za-z_]+(\([^)]*\))?[ \t]+/, "", text)
  if (text !~ /^([a-z]+(\(set\))?[ \t]+)*(package|public)[ \t]/) return ""
  gsub(/[(<:={]/, " ", text)
  n = split(text, words, /[ \t]+/)
  for (i = 1; i <= n; i++) {
    if (words[i] ~ /^(import|extension)$/) return ""
    if (words[i] ~ /^(init|subscript)[?!]?$/) return words[i]
    if (words[i] ~ /^(struct|class|enum|protocol|typealias|func|var|let|case|actor)$/ && words[i + 1] != "func" && words[i + 1] != "var")
      return words[i + 1]
  }
  return ""
}

function is_prescribed(text) {
  return text ~ /func (==|<)/ || text ~ /func hash\(into/ || text ~ /var (description|errorDescription|hashValue): String/ \
    || text ~ /(let|var) rawValue:/ || text ~ /init\(rawValue/ || text ~ / = Errno\(E[A-Z0-9]+\)/
}

function declaration(i,    j, text, comment) {
  for (j = i - 1; j > 0 && line[j] ~ /^[ \t]*(@|#if)/; j--) { }
  if (line[j] !~ /^[ \t]*\/\/\//) {
    if (name(line[i]) !~ /^init/ || !only_assigns(i)) fault(i, name(line[i]) " has no documentation comment")
    return
  }
  for (; j > 0 && line[j] ~ /^[ \t]*\/\/\//; j--) {
    text = line[j]
    sub(/^[ \t]*\/\/\/[ \t]*/, "", text)
    comment = text " " comment
  }
  if (!says_more(comment, name(line[i]))) fault(i, "the comment of " name(line[i]) " says no more than its name")
}

# Whether a word of a comment is neither of the name nor of those that say nothing by themselves.
function says_more(comment, declared,    words, n, i, known, part) {
  gsub(/[A-Z]/, " &", declared)
  n = split(tolower(declared), words, /[^a-z0-9]+/)
  for (i = 1; i <= n; i++) known[words[i]] = 1
  n = split(tolower(comment), words, /[^a-z0-9]+/)
  for (i = 1; i <= n; i++) {
    part = words[i]
    if (part ~ /^(|a|an|the|of|this|that|its|it|is|are|to|and|for|in|on|with|gets|sets|returns)$/) continue
    if (!(part in known)) return 1
  }
  return 0
}

# An initializer that has nothing but `self.name = value` in it.
function only_assigns(i,    text, body, opened) {
  for (; i <= count; i++) {
    text = line[i]
    if (!opened) {
      if (text !~ /\{/) continue
      opened = 1
      # The body is what follows the last parenthesis.
      sub(/^.*\)[^{]*\{/, "", text)
    }
    if (text ~ /\}[ \t]*$/) {
      sub(/\}[ \t]*$/, "", text)
      return text ~ /^[ \t]*(self\.[A-Za-z0-9]+ = [^;]*)?$/
    }
    if (text !~ /^[ \t]*(self\.[A-Za-z0-9]+ = [^;]*)?$/) return 0
  }
  return 0
}
