# Prints "file:line:code" for each line of Swift sources that holds code, without comments and the text
# of string literals. Code in a string's interpolation is code and stays.
#
# State at the end of a line: `comment` is the depth of nested /* */; the stack holds the string literals
# that are open, outermost first: hashes[i] of its delimiter, long[i] for """; and parens[i] counts the
# open parentheses of the interpolation that is being read in literal i, or is -1 in its text.

FNR == 1 { comment = 0; depth = 0 }

{
    out = ""
    n = length($0)
    for (i = 1; i <= n; i++) {
        c = substr($0, i, 1)
        two = substr($0, i, 2)
        if (comment > 0) {
            if (two == "/*") { comment++; i++ }
            else if (two == "*/") { comment--; i++ }
            continue
        }
        if (depth > 0 && parens[depth] < 0) {
            h = hashes[depth]
            if (c == "\\" && substr($0, i + 1, h) == marks(h)) {
                if (substr($0, i + 1 + h, 1) == "(") { parens[depth] = 0; out = out " " }
                i += h + 1
            } else if (c == "\"") {
                quotes = long[depth] ? 3 : 1
                if (substr($0, i, quotes) == (quotes == 3 ? "\"\"\"" : "\"") \
                    && substr($0, i + quotes, h) == marks(h)) {
                    i += quotes + h - 1
                    depth--
                    out = out "\""
                }
            }
            continue
        }
        if (two == "//") break
        if (two == "/*") { comment = 1; i++; continue }
        if (c == "\"" || (c == "#" && match(substr($0, i), /^#+"/))) {
            h = c == "#" ? RLENGTH - 1 : 0
            depth++
            hashes[depth] = h
            long[depth] = substr($0, i + h, 3) == "\"\"\""
            parens[depth] = -1
            i += h + (long[depth] ? 2 : 0)
            out = out "\""
            continue
        }
        if (depth > 0) {
            if (c == "(") parens[depth]++
            if (c == ")" && parens[depth]-- == 0) { out = out " "; continue }
        }
        out = out c
    }
    # Only a long literal goes on after the end of its line.
    while (depth > 0 && !long[depth]) depth--
    if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
}

function marks(count) { return substr("################", 1, count) }
