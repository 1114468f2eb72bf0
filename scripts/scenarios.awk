# Compares docs/scenarios.md with the tests. Prints one fault a line, "file:line: what is wrong".
#
#   awk -f scenarios.awk docs/scenarios.md FILE...      FILE: Swift files of tests
#
# A row of the page is "| T9 | story | what must be seen | `SuiteTests`, ... |"; a test whose name begins with "T9:" or
# "R1, R6:" tells that story, and its file has to stand in the row.

FNR == NR {
  page = FILENAME
  if ($0 !~ /^\| [A-Z][0-9]+ \|/) next
  split($0, cell, / \| /)
  story = cell[1]
  sub(/^\| /, "", story)
  row[story] = FNR
  last = $0
  while (match(last, /`[A-Za-z0-9]+Tests`/)) {
    named[story, substr(last, RSTART + 1, RLENGTH - 2)] = FNR
    suites[substr(last, RSTART + 1, RLENGTH - 2)] = FNR
    last = substr(last, RSTART + RLENGTH)
  }
  next
}

FNR == 1 {
  base = FILENAME
  sub(/^.*\//, "", base)
  sub(/\.swift$/, "", base)
  there[base] = 1
}

/"[A-Z][0-9]+(, [A-Z][0-9]+)*: / {
  text = $0
  sub(/^[^"]*"/, "", text)
  sub(/: .*$/, "", text)
  count = split(text, stories, /, /)
  for (i = 1; i <= count; i++) {
    if (!(stories[i] in row)) print FILENAME ":" FNR ": " stories[i] " is no story of " page
    else if (!((stories[i], base) in named)) print FILENAME ":" FNR ": " page " does not name " base " for " stories[i]
  }
}

END {
  for (suite in suites) if (!(suite in there)) print page ":" suites[suite] ": there is no file " suite ".swift among the tests"
}
