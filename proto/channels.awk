# Reads collectors and .proto files and writes, from their comments, the description of all channels for users
# (-v document=FILE) and what the program tells of each topic (-v table=FILE).
#
# A comment above a message that is a channel begins with `Topic /x.` and one sentence that says what it tells; then
# comes a line `Source: ...`, then whatever else users should know. Every field has a comment.
function fail(text) { print text > "/dev/stderr"; failed = 1; exit 1 }

# Collectors: the order of the channels, and what goes for each.
FILENAME ~ /\.swift$/ {
    if (/^    Registration\(/) { split($0, parts, /[(.]/); order[++orderCount] = parts[2] }
    if (/struct [A-Za-z]+: Collector/) { match($0, /struct [A-Za-z]+/); type = substr($0, RSTART + 7, RLENGTH - 7) }
    if (/static let topic = /) { split($0, parts, "\""); topicOf[type] = parts[2] }
    if (/static let defaultHertz = /) { hertz[type] = $0; sub(/.*= /, "", hertz[type]) }
    if (/static let isEventDriven = true/) onChange[type] = 1
    if (/static let isLatched = true/) latched[type] = 1
    if (/static let entrySettings/) settings[type] = entrySettings($0)
    next
}
function entrySettings(line, list) {
    if (line ~ /EntrySetting\.common/) list = ", `include`, `exclude`, `max_entries`"
    if (line ~ /[^a-z]\.include[^A-Z]/ || line ~ /EntrySetting\.include[^A-Z]/) list = list ", `include`"
    if (line ~ /\.exclude[^A-Z]/) list = list ", `exclude`"
    if (line ~ /\.includeType/) list = list ", `include_type`"
    if (line ~ /\.excludeType/) list = list ", `exclude_type`"
    if (line ~ /\.maxEntries/) list = list ", `max_entries`"
    if (line ~ /\.raw/) list = list ", `raw`"
    return substr(list, 3)
}

# Schemas: `comment` is what stands right above a line, its paragraphs separated by newlines.
FNR == 1 { depth = 0; comment = "" }
/^ *\/\// {
    line = $0
    sub(/^ *\/\/ ?/, "", line)
    if (line == "" || line ~ /^Source: / || line ~ /^Topic \//) comment = comment "\n"
    if (line != "") comment = comment (comment == "" || comment ~ /\n$/ ? "" : " ") line
    next
}
/^package / { package_ = $2; sub(/;/, "", package_) }
/^message / {
    message = $2
    fileOf[message] = FILENAME
    fullName[message] = package_ "." message
    if (comment == "") fail(FILENAME ": message " message " has no comment")
    about[message] = comment
    if (comment ~ /^\n?Topic /) readTopics(message, comment)
}
/^ *enum / { enum = (depth ? message "." : "") $2; enumComment[enum] = comment }
/^ *[A-Z][A-Z0-9_]* = [0-9]+;/ {
    number = $3
    sub(/;/, "", number)
    constants[enum] = constants[enum] "\n| `" $1 "` | " number " | " prose(comment) " |"
    separator = inOneLine[enum] == "" ? "" : ", "
    inOneLine[enum] = inOneLine[enum] separator "`" $1 "` (" number ")"
    if (comment != "") isExplained[enum] = 1
}
/^ *(repeated )?[A-Za-z][A-Za-z0-9_.]* [a-z][a-z0-9_]* = [0-9]+;/ {
    isList = $1 == "repeated"
    name = $(2 + isList)
    if (comment == "" && name != "header") fail(FILENAME ": field " message "." name " has no comment")
    place = ++fieldCount[message]
    fieldName[message, place] = name
    fieldType[message, place] = $(1 + isList)
    fieldIsList[message, place] = isList
    fieldComment[message, place] = comment
    if (name == "id") idComment[message] = comment
}
/[{] *$/ { depth++ }
/^ *}/ { depth-- }
{ comment = "" }

function readTopics(message, text, parts, count, i, topic, sentence) {
    count = split(text, parts, "\n")
    for (i = 1; i <= count; i++) {
        if (parts[i] ~ /^Topic /) {
            sentence = parts[i]
            topic = parts[i]
            sub(/^Topic [^ ]+ ?/, "", sentence)
            sub(/^Topic /, "", topic)
            sub(/\.( .*)?$/, "", topic)
            if (sentence !~ /\.$/ || sentence ~ /[.] [A-Z]/)
                fail(FILENAME ": the first line on " topic " must say what it tells in one sentence")
            if (parts[i + 1] !~ /^Source: /) fail(FILENAME ": the sentence on " topic " is not followed by Source:")
            summary[topic] = sentence
            source[topic] = substr(parts[++i], 9)
            messageOf[topic] = message
            topicCount++
        } else if (parts[i] != "") {
            notes[message] = notes[message] "\n" prose(parts[i]) "\n"
        }
    }
}

# What users may copy looks like code, and nothing looks like Markdown by chance.
function prose(text, words, count, i, out) {
    gsub(/\n/, " ", text)
    # What stands in backticks is left alone.
    count = split(text, words, "`")
    for (i = 1; i <= count; i++) out = out (i % 2 ? marked(words[i]) : "`" words[i] "`")
    gsub(/\|/, "\\|", out)
    return out
}
function marked(text, words, count, i, out) {
    count = split(text, words, / /)
    for (i = 1; i <= count; i++) out = out (i > 1 ? " " : "") markedWord(words[i])
    return out
}
function markedWord(word, before, after, last) {
    while (word ~ /^[("]/) { before = before substr(word, 1, 1); word = substr(word, 2) }
    while (word != "") {
        last = substr(word, length(word))
        if (last !~ /[.,;:"]/ && !(last == ")" && gsub(/\)/, ")", word) > gsub(/\(/, "(", word))) break
        after = last after
        word = substr(word, 1, length(word) - 1)
    }
    # A page of the manual is none.
    if (word ~ /\([0-9][a-z]*\)$/) return before word after
    if (word ~ /^\/[a-z]/ || word ~ /[A-Za-z0-9*]_|_[A-Za-z]/) {
        # In quotes it is code without them.
        if (before ~ /"$/ && after ~ /^"/) { sub(/"$/, "", before); sub(/^"/, "", after) }
        return before "`" word "`" after
    }
    gsub(/\*/, "\\*", word)
    gsub(/</, "\\&lt;", word)
    return before word after
}

# By the words of a field's name.
function unit(name, type) {
    if (type != "double" && type !~ /^u?int/) return ""
    name = "_" name "_"
    if (name ~ /_bytes_per_second_/) return "B/s"
    if (name ~ /_bits_per_second_/) return "bit/s"
    if (name ~ /_per_second_/) return "1/s"
    if (name ~ /_ratio_/) return "ratio"
    if (name ~ /_seconds_/) return "s"
    if (name ~ /_bytes_/) return "B"
    if (name ~ /_hertz_/) return "Hz"
    if (name ~ /_celsius_/) return "°C"
    if (name ~ /_volts_/) return "V"
    if (name ~ /_amperes_/) return "A"
    if (name ~ /_watts_/) return "W"
    if (name ~ /_joules_/) return "J"
    if (name ~ /_coulombs_/) return "C"
    if (name ~ /_dbm_/) return "dBm"
    if (name ~ /_rpm_/) return "1/min"
    return ""
}

# An id as it may look: the first thing in quotes that its comment has.
function sampleID(message, type, parts, isQuoted) {
    isQuoted = split(idComment[message], parts, "\"") >= 3
    if (type != "string") return isQuoted ? parts[2] : 0
    if (!isQuoted) fail(fileOf[message] ": the comment of " message ".id has no example in quotes")
    return "\"" parts[2] "\""
}

function typeOf(message, type) { return (message "." type) in constants ? message "." type : type }

# The table of a message's own fields, then the messages inside.
function describe(message, path, i, type, rows, row) {
    for (i = 1; i <= fieldCount[message]; i++) {
        type = fieldType[message, i]
        if (fieldName[message, i] == "header" || type in fieldCount) continue
        row = "| `" path fieldName[message, i] "` | " type " | " unit(fieldName[message, i], type)
        rows = rows row " | " prose(fieldComment[message, i]) " |\n"
    }
    if (rows) printf "\n| field | type | unit | meaning |\n| --- | --- | --- | --- |\n%s", rows > document
    for (i = 1; i <= fieldCount[message]; i++) describeEnum(typeOf(message, fieldType[message, i]))
    for (i = 1; i <= fieldCount[message]; i++) describeInside(message, i, path)
}
function describeEnum(enum, name) {
    if (!(enum in constants) || told[topic, enum]++) return
    name = enum
    sub(/.*\./, "", name)
    print "\n`" name "`: " (enumComment[enum] ? prose(enumComment[enum]) : "its values.") > document
    if (isExplained[enum]) print "\n| value | number | meaning |\n| --- | --- | --- |" constants[enum] > document
    else print "\n" inOneLine[enum] "." > document
}
function describeInside(message, i, path, type, name, text, entry) {
    type = fieldType[message, i]
    if (!(type in fieldCount) || fieldName[message, i] == "header") return
    name = path fieldName[message, i]
    text = "\n**`" name "`**" (fieldIsList[message, i] ? ", a list. " : ": ") prose(fieldComment[message, i])
    if (told[topic, type]) {
        print text " Its fields are those of `" told[topic, type] "`." > document
        return
    }
    told[topic, type] = name
    if (!fieldIsList[message, i]) {
        print text " " prose(about[type]) > document
        return describe(type, name ".")
    }
    entry = prose(about[type])
    sub(/^One /, "one ", entry)
    print text "\n\nEach entry: " entry > document
    if (idComment[type]) name = name "[:]{id==" sampleID(type, fieldType[type, 1]) "}"
    else name = name "[:]"
    describe(type, name ".")
}

function rate(type, value) {
    if (onChange[type]) return "on change"
    value = hertz[type]
    gsub(/ /, "", value)
    gsub(/\.0$/, "", value)
    sub(/^1\.0\//, "1/", value)
    return value " Hz"
}
function anchor(topic) { gsub(/\//, "", topic); return topic }
function quoted(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }

function describeTopic(topic, type) {
    print "\n## " topic "\n\n" prose(summary[topic]) "\n" > document
    print "- Default rate: " rate(type) (latched[type] ? "; each new subscriber gets the last message at once" : "") \
        > document
    print "- Source: " prose(source[topic]) > document
    print "- Schema: `" fullName[messageOf[topic]] "`" > document
    if (settings[type]) print "- Settings of the host's owner: " settings[type] > document
    if (documentedAs[messageOf[topic]]) {
        print "\nIts fields are those of " documentedAs[messageOf[topic]] "." > document
        return
    }
    documentedAs[messageOf[topic]] = "[" topic "](#" anchor(topic) ")"
    printf "%s", notes[messageOf[topic]] > document
    describe(messageOf[topic], "")
}

END {
    if (failed) exit 1
    for (i = 1; i <= orderCount; i++) {
        if (!(order[i] in topicOf) || !(order[i] in hertz)) fail("no topic or no defaultHertz is found in " order[i])
    }
    # The agent's own, which have no collector.
    order[++orderCount] = "log"; topicOf["log"] = "/log"; onChange["log"] = 1
    order[++orderCount] = "config"; topicOf["config"] = "/config"; onChange["config"] = 1; latched["config"] = 1
    for (i = 1; i <= orderCount; i++) {
        topic = topicOf[order[i]]
        if (!(topic in summary)) fail("proto/: no message has a comment that begins with \"Topic " topic ".\"")
    }
    if (topicCount != orderCount) fail("proto/: " topicCount " topics are described, but " orderCount " exist")

    print "// Generated by proto/generate.sh. Do not edit.\n// swift-format-ignore-file" > table
    print "/// What each topic tells, and where that comes from: out of the comments in proto/." > table
    print "package let topicDescriptions: [String: TopicDescription] = [" > table
    for (i = 1; i <= orderCount; i++) {
        topic = topicOf[order[i]]
        print "    " quoted(topic) ": TopicDescription(" > table
        print "        summary: " quoted(summary[topic]) "," > table
        print "        source: " quoted(source[topic]) ")," > table
    }
    print "]" > table

    print "<!-- Generated by proto/generate.sh from the comments in proto/. Do not edit. -->" > document
    while ((getline line < introduction) > 0) print line > document
    print "\n| topic | tells | default rate |\n| --- | --- | --- |" > document
    for (i = 1; i <= orderCount; i++) {
        topic = topicOf[order[i]]
        print "| [" topic "](#" anchor(topic) ") | " prose(summary[topic]) " | " rate(order[i]) " |" > document
    }
    print "\n## The header\n\n" prose(about["Header"]) > document
    topic = "header"
    describe("Header", "header.")
    for (i = 1; i <= orderCount; i++) { topic = topicOf[order[i]]; describeTopic(topic, order[i]) }
}
