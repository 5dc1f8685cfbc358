#!/bin/sh
# Checks a bundle of Sallyport, unpacked, with nothing of ours: a POSIX shell, sha256sum, openssl (3 or later) and awk.
#
#   sh data/verify.sh [--checkpoint FILE] [--unsigned]
#
#   --checkpoint FILE   a checkpoint of the same ledger that you got another way or at another time: says whether this
#                       bundle and that checkpoint tell of one ledger
#   --unsigned          do not take it for a fault that nobody signed the bundle as a whole
#
# Exit status: 0 everything that can be checked is in order, 1 something is not, 2 it could not be checked.
#
# What is in a bundle may have been made to deceive. So nothing from it is ever run, used as a format or as a pattern,
# or printed, before its form has been looked at: names, numbers, hashes and ids only.
set -u
LC_ALL=C
export LC_ALL
CDPATH=''
PS4=''

checkpoint_file=''
unsigned_is_fine=no
while [ $# -gt 0 ]; do
  case $1 in
    --checkpoint)
      [ $# -ge 2 ] || { printf '%s\n' '--checkpoint needs a file' >&2; exit 2; }
      case $2 in /*) checkpoint_file=$2 ;; *) checkpoint_file=$PWD/$2 ;; esac
      shift 2
      ;;
    --unsigned) unsigned_is_fine=yes; shift ;;
    *) printf '%s\n' 'usage: sh verify.sh [--checkpoint FILE] [--unsigned]' >&2; exit 2 ;;
  esac
done
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
cd -- "$here/.." || exit 2

# ---------------------------------------------------------------------------------------------------------------------
# Words

faults=0
shown=0
MOST_SHOWN=40

say() { printf '%s\n' "$1"; }

step() {
  say ''
  say "$1"
  shown=0
}

fault() {
  faults=$((faults + 1))
  shown=$((shown + 1))
  if [ "$shown" -le "$MOST_SHOWN" ]; then say "   FAULT  $1"; fi
  if [ "$shown" -eq "$MOST_SHOWN" ]; then say '   (more of the same step is not listed)'; fi
}

# Lines of a step's work: `FAULT words`, `NOTE words`, `OK words`. A step that says neither OK nor FAULT broke off.
report() {
  came_to_end=no
  while IFS= read -r line; do
    case $line in
      'FAULT '*) came_to_end=yes; fault "${line#FAULT }" ;;
      'NOTE '*) say "   note   ${line#NOTE }" ;;
      'OK '*) came_to_end=yes; say "   ok     ${line#OK }" ;;
    esac
  done <<END
$1
END
  [ "$came_to_end" = yes ] || fault 'this step did not come to its end'
}

proves() { say "   This shows: $1"; }
cannot() { say "   It cannot show: $1"; }

finish() {
  say ''
  if [ "$faults" -gt 0 ]; then
    say "RESULT: $faults fault(s). Do not rely on what is named above."
    exit 1
  fi
  say 'RESULT: everything that can be checked with these tools is in order.'
  say 'What no bundle can show by itself: that the ledger it stands on is the only one. Compare its checkpoint, which'
  say 'is data/ledger/checkpoint, with one that you got another way (--checkpoint FILE), and its key, data/keys/ledger.vkey,'
  say 'with the one that the owner of the gateway published.'
  exit 0
}

stop() { fault "$1"; finish; }

# ---------------------------------------------------------------------------------------------------------------------
# Functions for awk

# flat(line): the members of one line of JSON, by path, in V: V[".body.text.sha256"]. Texts keep their escapes.
# b64hex(text): base64 as hexadecimal, "" when it is not base64. octal(hex): bytes as printf's %b takes them.
FUNCTIONS='
function flat(line,    n, p, i, j, c, depth, word, path, name, kind, iskey, top) {
  split("", V)
  gsub(/\\\\/, "\001", line)
  gsub(/\\"/, "\002", line)
  n = split(line, p, "\"")
  depth = 0
  path[0] = ""
  kind[0] = ""
  name[0] = ""
  iskey[0] = 0
  word = ""
  for (i = 1; i <= n; i++) {
    if (i % 2 == 0) {
      if (iskey[depth]) { name[depth] = p[i]; iskey[depth] = 0 }
      else V[path[depth] "." name[depth]] = p[i]
      continue
    }
    for (j = 1; j <= length(p[i]); j++) {
      c = substr(p[i], j, 1)
      if (c == "{" || c == "[") {
        top = depth == 0 ? "" : path[depth] "." name[depth]
        depth++
        if (depth > 64) return 0
        path[depth] = top
        kind[depth] = c
        iskey[depth] = (c == "{")
        name[depth] = (c == "{") ? "" : 0
      } else if (c == "}" || c == "]" || c == ",") {
        if (word != "") { V[path[depth] "." name[depth]] = word; word = "" }
        if (c == ",") {
          if (kind[depth] == "{") iskey[depth] = 1
          else name[depth]++
        } else depth--
        if (depth < 0) return 0
      } else if (c != ":" && c != " " && c != "\t") word = word c
    }
  }
  return depth == 0 && n > 1
}
function b64hex(s,    i, out, v, k, c) {
  sub(/=+$/, "", s)
  out = ""
  for (i = 1; i <= length(s); i += 4) {
    v = 0
    for (k = 0; k < 4; k++) {
      c = substr(s, i + k, 1)
      if (c == "") { v = v * 64; continue }
      c = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c)
      if (c == 0) return ""
      v = v * 64 + c - 1
    }
    out = out sprintf("%06x", v)
  }
  k = length(s) % 4
  if (k == 1) return ""
  if (k == 2) out = substr(out, 1, length(out) - 4)
  if (k == 3) out = substr(out, 1, length(out) - 2)
  return out
}
function octal(hex,    i, out, h, v) {
  if (!octal_ready) {
    for (i = 0; i < 256; i++) {
      h = sprintf("%02x", i)
      octal_of[h] = "\\0" int(i / 64) (int(i / 8) % 8) (i % 8)
    }
    octal_ready = 1
  }
  out = ""
  for (i = 1; i < length(hex); i += 2) out = out octal_of[substr(hex, i, 2)]
  return out
}
function ishash(s) { return length(s) == 64 && s ~ /^[0-9a-f]+$/ }
function isid(s) {
  return length(s) == 36 && s ~ /^[0-9a-f-]+$/ && substr(s, 9, 1) substr(s, 14, 1) substr(s, 19, 1) substr(s, 24, 1) == "----"
}
function iscount(s) { return length(s) <= 15 && s ~ /^(0|[1-9][0-9]*)$/ }
function num(n) { return sprintf("%.0f", n) }
'

# Lines `TAG MESSAGE`, the message in octal, become lines `TAG SHA-256`. A message `=HASH` is passed on as it is.
hashes() {
  while read -r tag message; do
    printf '%s ' "$tag"
    case $message in
      =*) printf '%s\n' "${message#=}" ;;
      *) printf '%b' "$message" | sha256sum ;;
    esac
  done
}

# One level of the tree: neighbours with the same tag become their parent; one without a neighbour is carried up.
level_up() {
  awk "$FUNCTIONS"'
    tag == $1 { print tag, "\\0001" octal(left) octal(substr($2, 1, 64)); tag = ""; next }
    { if (tag != "") print tag, "=" left; tag = $1; left = substr($2, 1, 64) }
    END { if (tag != "") print tag, "=" left }
  ' | hashes
}

# Up to 256 hashes of one tag become one.
tile_up() { level_up | level_up | level_up | level_up | level_up | level_up | level_up | level_up; }

# hex_of_file FILE: a small file in hexadecimal.
hex_of_file() { openssl base64 -A -in "$1" | awk "$FUNCTIONS"'{ print b64hex($0) }'; }

# signed_by_ledger MESSAGE SIGNATURE: whether the key of the ledger signed the file.
signed_by_ledger() {
  openssl pkeyutl -verify -pubin -inkey data/keys/ledger.pem -rawin -in "$1" -sigfile "$2" >/dev/null 2>&1
}

# ---------------------------------------------------------------------------------------------------------------------
say 'Checking this bundle with sh, sha256sum, openssl and awk.'

for tool in sha256sum openssl awk; do
  command -v "$tool" >/dev/null 2>&1 || { say "There is no $tool on this machine: nothing was checked."; exit 2; }
done
case $(openssl version 2>/dev/null) in
  'OpenSSL '[3-9].* | 'OpenSSL '[1-9][0-9].*) ;;
  *)
    say 'openssl is older than OpenSSL 3, or another library by that name: it cannot check Ed25519 signatures over files.'
    say 'Nothing was checked. Use a machine with OpenSSL 3 or later ("openssl version" tells).'
    exit 2
    ;;
esac

# ---------------------------------------------------------------------------------------------------------------------
step '1. Are all files here, as they were packed, and no others?'

# Prints what is below a folder: FILE, LINK or STRANGE for a name that no bundle has.
walk() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -h "$entry" ]; then
      say LINK
    elif [ -e "$entry" ]; then
      case $entry in
        *[!A-Za-z0-9._/-]*) say STRANGE ;;
        *) if [ -d "$entry" ]; then walk "$entry"; elif [ -f "$entry" ]; then say "FILE $entry"; else say STRANGE; fi ;;
      esac
    fi
  done
}

for file in bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt; do
  { [ -f "$file" ] && [ ! -h "$file" ]; } || stop "$file is missing"
done
[ "$(while IFS= read -r line; do printf '%s;' "$line"; done < bagit.txt)" = 'BagIt-Version: 1.0;Tag-File-Character-Encoding: UTF-8;' ] ||
  fault 'bagit.txt does not say BagIt 1.0 in UTF-8'
form=$(awk "$FUNCTIONS"'
  FNR == 1 { file = FILENAME; files++ }
  {
    hash = substr($0, 1, 64)
    name = substr($0, 67)
    good = ishash(hash) && substr($0, 65, 2) == "  " && name ~ /^[A-Za-z0-9][A-Za-z0-9.\/_-]*$/ && name !~ /\/\// && name !~ /\/[.-]/ && name !~ /\/$/
    if (file == "manifest-sha256.txt") good = good && substr(name, 1, 5) == "data/"
    else good = good && (name == "bagit.txt" || name == "bag-info.txt" || name == "manifest-sha256.txt")
    if (!good) { print "FAULT line " FNR " of " file " is not a line of a manifest"; bad = 1; next }
    if (name in seen) { print "FAULT " name " stands twice in " file; bad = 1 }
    seen[name] = 1
    if (file != "manifest-sha256.txt") tags++
  }
  END {
    if (tags != 3 || files != 2) { print "FAULT the tag manifest does not name the three files that it has to"; bad = 1 }
    if (!bad) print "OK the manifests are well-formed"
  }
' manifest-sha256.txt tagmanifest-sha256.txt)
report "$form"
[ "$faults" -eq 0 ] || finish

present=$(walk data)
report "$(say "$present" | awk '
  NR == FNR { name = substr($0, 67); listed[name] = 1; next }
  $1 == "LINK" { print "FAULT there is a link below data/: a bundle has none"; bad = 1; next }
  $1 == "STRANGE" { print "FAULT there is something below data/ with a name that no bundle has"; bad = 1; next }
  $1 == "FILE" { found[$2] = 1; if (!($2 in listed)) { print "FAULT " $2 " is in no manifest: it was added"; bad = 1 } }
  END {
    for (name in listed) if (!(name in found)) { print "FAULT " name " is missing"; bad = 1 }
    if (!bad) print "OK no file is missing, and none was added"
  }
' manifest-sha256.txt -)"
case $present in *LINK* | *STRANGE*) finish ;; esac
report "$({ sha256sum -c tagmanifest-sha256.txt; sha256sum -c manifest-sha256.txt; } 2>/dev/null | awk '
  NR == FNR || FILENAME == "tagmanifest-sha256.txt" { want[substr($0, 67)] = 1; next }
  {
    name = $0
    sub(/: [^:]*$/, "", name)
    if (!(name in want)) next
    if ($0 == name ": OK") good[name] = 1
  }
  END {
    for (name in want) {
      all++
      if (!(name in good)) { print "FAULT " name " was changed: its SHA-256 is not the one in the manifest"; bad = 1 }
    }
    if (!bad && all > 0) print "OK " all " files have the SHA-256 that the manifests say"
  }
' manifest-sha256.txt tagmanifest-sha256.txt -)"
proves 'the files are those that the manifests name, to the last byte.'
cannot 'who wrote the manifests. The next step does.'

for file in keys/ledger.pem keys/ledger.vkey ledger/checkpoint ledger/checkpoint.txt ledger/checkpoint.sig ledger/records.ndjson \
  ledger/indexes.txt ledger/erased.txt recordings/parts.txt events.ndjson query.json population.csv; do
  [ -f "data/$file" ] || stop "data/$file is missing"
done

# ---------------------------------------------------------------------------------------------------------------------
step '2. Did the gateway sign that this bundle is what it put together?'

if [ ! -e attestation.dsse.json ] && [ ! -e attestation.txt ] && [ ! -e attestation.sig ]; then
  if [ "$unsigned_is_fine" = yes ]; then
    say '   note   Nobody signed this bundle as a whole. Records and recordings are proved by the ledger (steps 3 to 8);'
    say '          transcripts, population.csv and the page are as whoever handed you this wanted them to be.'
  else
    fault 'nobody signed this bundle as a whole (--unsigned goes on without that)'
  fi
else
  for file in attestation.dsse.json attestation.txt attestation.sig; do
    { [ -f "$file" ] && [ ! -h "$file" ]; } || stop "$file is missing"
  done
  if signed_by_ledger attestation.txt attestation.sig; then
    say '   ok     the signature over attestation.txt is that of the key in data/keys/ledger.pem'
  else
    fault 'the signature over attestation.txt does not verify: one of the two was changed'
  fi
  report "$({
    printf 'tag '
    sha256sum < tagmanifest-sha256.txt
    printf 'sig %s\n' "$(hex_of_file attestation.sig)"
    printf 'signed %s\n' "$(hex_of_file attestation.txt)"
  } | awk "$FUNCTIONS"'
    # DSSE v1: what is signed is "DSSEv1", the length and the text of the type, the length and the text of the payload.
    function asciihex(s,    i, out, c) {
      out = ""
      for (i = 1; i <= length(s); i++) {
        c = index(" !\"#$%&\047()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", substr(s, i, 1))
        out = out sprintf("%02x", c + 31)
      }
      return out
    }
    function bad(words) { print "FAULT " words; wrong = 1 }
    FILENAME == "attestation.dsse.json" { envelope = envelope $0; next }
    FILENAME == "attestation.txt" { statement = statement $0; next }
    FILENAME == "data/ledger/checkpoint" { checkpoint = checkpoint $0 "\\n"; next }
    $1 == "tag" { tag = $2 }
    $1 == "sig" { sig = $2 }
    $1 == "signed" { signed = $2 }
    END {
      type = "application/vnd.in-toto+json"
      if (!flat(envelope)) bad("attestation.dsse.json is not JSON")
      payload = b64hex(V[".payload"])
      if (V[".payloadType"] != type || payload == "") bad("attestation.dsse.json is not an envelope of an in-toto statement")
      if (asciihex("DSSEv1 " length(type) " " type " " num(length(payload) / 2) " ") payload != signed)
        bad("attestation.txt is not what attestation.dsse.json signs")
      if (b64hex(V[".signatures.0.sig"]) != sig || sig == "") bad("attestation.sig is not the signature in attestation.dsse.json")
      if (!flat(substr(statement, index(statement, "{")))) bad("the statement is not JSON")
      if (V["._type"] != "https://in-toto.io/Statement/v1" || V[".predicateType"] != "urn:sallyport:audit-bundle:v1") bad("the statement is about something else")
      if (V[".subject.0.name"] != "tagmanifest-sha256.txt" || V[".subject.0.digest.sha256"] != tag) bad("the statement is about another bundle: the tag manifest has another SHA-256")
      if (V[".predicate.checkpoint"] != checkpoint) bad("the statement names another checkpoint than data/ledger/checkpoint")
      time = V[".predicate.time"]
      if (length(time) > 40 || time !~ /^[0-9TZ:.-]+$/) bad("the statement has no time")
      if (!wrong) print "OK at " time " the gateway stated: this tag manifest answers this question, as of this checkpoint"
    }
  ' attestation.dsse.json attestation.txt data/ledger/checkpoint -)"
fi
proves 'the holder of the key of the ledger put these files together, transcripts and page included.'
cannot 'that the key is the one of the gateway that you mean: compare data/keys/ledger.vkey with what its owner published.'
if [ -f data/keys/reviewers.allowed_signers ]; then
  cannot 'that the reviewers signed what is in data/approvals and data/reviews: ssh-keygen checks that, see data/VERIFY.md.'
fi

# ---------------------------------------------------------------------------------------------------------------------
step '3. Is the checkpoint of the ledger signed?'

# NAME+ID+KEY: a name has no plus sign, the base64 of a key may.
IFS= read -r vkey < data/keys/ledger.vkey || vkey=''
origin=${vkey%%+*}
key=${vkey#*+}
key_hex=$(printf '%s\n' "${key#*+}" | awk "$FUNCTIONS"'{ print b64hex($0) }')
pem_hex=$(awk "$FUNCTIONS"'/^-----/ { next } { text = text $0 } END { print b64hex(text) }' data/keys/ledger.pem)
name_hex=$(printf '%s\n' "$origin" | openssl base64 -A | awk "$FUNCTIONS"'{ print b64hex($0) }')
key_id=$(printf 'id %s\n' "$(printf '%s %s\n' "$name_hex" "$key_hex" | awk "$FUNCTIONS"'{ print octal($1 $2) }')" | hashes)
head=$({
  printf '%s\n' "$key_hex" "$pem_hex" "$key_id" "$name_hex" "$vkey"
  hex_of_file data/ledger/checkpoint.sig
  printf '%s\n' "$origin"
} | awk "$FUNCTIONS"'
  function bad(words) { print "FAULT " words; wrong = 1 }
  FILENAME == "data/ledger/checkpoint" {
    if ($0 == "" && !ended) { ended = 1; next }
    if (!ended) text[++lines] = $0
    else signature[++signatures] = $0
    next
  }
  FILENAME == "data/ledger/checkpoint.txt" { if ($0 != text[FNR]) differs = 1; copied = FNR; next }
  { given[++n] = $0 }
  END {
    key = given[1]; pem = given[2]; id = substr(given[3], 4, 8); vkey = given[5]; sig = given[6]; origin = given[7]
    if (length(key) != 66 || substr(key, 1, 2) != "01") bad("data/keys/ledger.vkey is not an Ed25519 key")
    if (pem != "302a300506032b6570032100" substr(key, 3)) bad("data/keys/ledger.pem and ledger.vkey are two different keys")
    if (origin == "" || index(vkey, origin "+" id "+") != 1) bad("the id in data/keys/ledger.vkey is not that of its key")
    if (differs || copied != lines || lines < 3) bad("checkpoint.txt is not the text of the checkpoint")
    if (text[1] != origin) bad("the checkpoint is that of another ledger than the key")
    size = text[2]
    root = b64hex(text[3])
    if (!iscount(size) || !ishash(root)) bad("the checkpoint has no size or no root")
    for (i = 1; i <= signatures; i++) {
      at = index(signature[i], origin " ")
      if (at == 5 && b64hex(substr(signature[i], at + length(origin) + 1)) == id sig && length(sig) == 128) found = 1
    }
    if (!found) bad("checkpoint.sig is not the signature that the checkpoint carries")
    if (!wrong) print "HEAD " size " " root
  }
' data/ledger/checkpoint data/ledger/checkpoint.txt -)
case $head in
  'HEAD '*) ;;
  *) report "$head"; finish ;;
esac
set -- $head
size=$2
root=$3
if signed_by_ledger data/ledger/checkpoint.txt data/ledger/checkpoint.sig; then
  say "   ok     the key of the ledger signed: $size entries with the root $root"
else
  stop 'the signature of the checkpoint does not verify'
fi
proves 'the holder of the key stood for exactly this list of entries, in this order.'
cannot 'that no other list was ever signed: an older or a foreign checkpoint can (--checkpoint FILE).'

# ---------------------------------------------------------------------------------------------------------------------
step '4. Are the records those in the ledger?'

record_hashes() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s' "$line" | sha256sum; done < data/ledger/records.ndjson
}
# Lines `INDEX HASH`, in order, and after them those of erased records: `INDEX HASH erased`.
records=$(record_hashes | awk -v size="$size" "$FUNCTIONS"'
  function bad(words) { if (wrong++ < 20) print "FAULT " words }
  FILENAME == "data/ledger/indexes.txt" {
    if (!iscount($0) || $0 + 0 >= size + 0 || (FNR > 1 && $0 + 0 <= before + 0)) bad("line " FNR " of indexes.txt is not the index of a further record")
    before = $0
    at[++n] = $0
    taken[$0] = 1
    next
  }
  FILENAME == "data/ledger/erased.txt" {
    if (NF != 2 || !iscount($1) || $1 + 0 >= size + 0 || !ishash($2) || ($1 in taken)) { bad("line " FNR " of erased.txt is not an erased record"); next }
    erased[++gone] = $0
    taken[$1] = 1
    next
  }
  { if (++k <= n) line[k] = at[k] " " substr($1, 1, 64) }
  END {
    if (k != n) bad("records.ndjson has " num(k) " records, indexes.txt " num(n))
    if (wrong) exit
    for (i = 1; i <= n; i++) print line[i]
    for (i = 1; i <= gone; i++) print erased[i], "erased"
    print "END"
  }
' data/ledger/indexes.txt data/ledger/erased.txt -)
case $records in
  *END) records=${records%END} ;;
  *) report "$records"; finish ;;
esac

# Tiles and bundles of entries by the names in the manifest: `LEVEL INDEX WIDTH FILE`, the level `entries` for entries.
tile_files=$(awk "$FUNCTIONS"'
  {
    name = substr($0, 67)
    if (substr(name, 1, 17) != "data/ledger/tile/") next
    path = substr(name, 18)
    width = 256
    if (match(path, /\.p\/[1-9][0-9]*$/)) { width = substr(path, RSTART + 3); path = substr(path, 1, RSTART - 1) }
    n = split(path, part, "/")
    index_ = ""
    for (i = 2; i <= n; i++) {
      digits = part[i]
      if (i < n) { if (substr(digits, 1, 1) != "x") digits = "?"; else digits = substr(digits, 2) }
      if (length(digits) != 3 || digits !~ /^[0-9]+$/) digits = "?"
      index_ = index_ digits
    }
    if (n < 2 || index_ ~ /\?/ || length(index_) > 12 || (part[1] != "entries" && part[1] !~ /^[0-6]$/) || width + 0 < 1 || width + 0 > 256) { print "BAD"; next }
    print part[1], num(index_ + 0), width, name
  }
' manifest-sha256.txt)
case $tile_files in *BAD*) stop 'a file below data/ledger/tile/ has a name that no tile has' ;; esac

# Lines `T LEVEL INDEX PLACE HASH` of tiles, and `E INDEX PLACE HASH` of entries.
tiles=$(say "$tile_files" | while read -r level number width file; do
  [ -n "$level" ] || continue
  printf '%s %s %s ' "$level" "$number" "$width"
  openssl base64 -A -in "$file"
  say ''
done | awk -v size="$size" "$FUNCTIONS"'
  function bad(words) { if (wrong++ < 20) print "FAULT " words }
  {
    hex = b64hex($4)
    level = $1 == "entries" ? 0 : $1
    span = 1
    for (i = 0; i < level; i++) span *= 256
    all = int(size / span)
    expected = all - $2 * 256
    if (expected > 256) expected = 256
    if (expected != $3 + 0) { bad("tile " $1 " " $2 " has a width that it cannot have in a ledger of this size"); next }
    if ($1 == "entries") {
      if (length(hex) != $3 * 68) { bad("the bundle of entries " $2 " has another length"); next }
      for (i = 0; i < $3; i++) {
        if (substr(hex, i * 68 + 1, 4) != "0020") { bad("entry " i " of bundle " $2 " is not a SHA-256"); break }
        print "E", $2, i, substr(hex, i * 68 + 5, 64)
      }
    } else {
      if (length(hex) != $3 * 64) { bad("tile " $1 " " $2 " has another length"); next }
      for (i = 0; i < $3; i++) print "T", $1, $2, i, substr(hex, i * 64 + 1, 64)
    }
  }
  END { print "END" }
')
case $tiles in *END) tiles=${tiles%END} ;; *) tiles='FAULT the tiles cannot be read' ;; esac
case $tiles in *FAULT*) report "$tiles"; finish ;; esac

report "$({ say "$tiles"; say RECORDS; say "$records"; } | awk "$FUNCTIONS"'
  $1 == "E" { entry[$2 ":" $3] = $4; next }
  $1 == "RECORDS" { in_records = 1; next }
  in_records && NF >= 2 {
    place = num(int($1 / 256)) ":" ($1 % 256)
    if (!(place in entry)) { print "FAULT there is no entry for record " $1; wrong = 1 }
    else if (entry[place] != $2) { print "FAULT record " $1 " was altered: its SHA-256 is not entry " $1 " of the ledger"; wrong = 1 }
    else if ($3 == "erased") gone++
    else kept++
  }
  END {
    if (wrong) exit
    print "OK " num(kept) " records have the SHA-256 that stands in the ledger at their index"
    if (gone > 0) print "NOTE of " gone " records only that hash is left: they were erased, and the ledger still proves that they were there"
  }
')"
proves 'what each record says, and where in the ledger it stands, once the next step has tied the entries to the checkpoint.'

# ---------------------------------------------------------------------------------------------------------------------
step '5. Do the entries add up to the root in the checkpoint?'

# RFC 6962: a leaf is SHA-256(0x00, entry), a node SHA-256(0x01, left, right).
leaves=$(say "$tiles" | awk "$FUNCTIONS"'$1 == "E" { print "L:" $2 ":" $3, "\\0000" octal($4) }' | hashes)
roots=$(say "$tiles" | awk '
  $1 == "T" { id = $2 ":" $3; if (id != last) { flush(); last = id; n = 0 } line[n++] = "T:" id " " $5 }
  function flush(    i) { if (n == 256) for (i = 0; i < n; i++) print line[i]; n = 0 }
  END { flush() }
' | tile_up)

# edge_root SIZE: the root of the first SIZE entries, from the tiles at the right edge of a tree of that size.
edge_root() {
  carry=''
  level=0
  left=$1
  while [ "$left" -gt 0 ]; do
    width=$((left % 256))
    row=$(say "$tiles" | awk -v level="$level" -v tile="$((left / 256))" -v width="$width" '
      $1 == "T" && $2 == level && $3 == tile && $4 + 0 < width + 0 { print "edge", $5; n++ }
      END { if (n + 0 != width + 0) print "missing" }
    ')
    case $row in *missing*) say missing; return ;; esac
    if [ -n "$carry" ]; then
      row="$row
edge $carry"
    fi
    carry=$(say "$row" | awk 'NF == 2' | tile_up | awk '{ print substr($2, 1, 64) }')
    left=$((left / 256))
    level=$((level + 1))
  done
  say "$carry"
}

computed=$(edge_root "$size")
report "$({ say "$tiles"; say "$leaves"; say "$roots"; } | awk -v size="$size" -v root="$root" -v computed="$computed" "$FUNCTIONS"'
  function bad(words) { if (wrong++ < 20) print "FAULT " words }
  $1 == "T" { tile[$2 ":" $3 ":" $4] = $5; next }
  $1 == "E" { entries++; next }
  { split($1, part, ":") }
  part[1] == "L" {
    checked++
    if (tile["0:" part[2] ":" part[3]] != substr($2, 1, 64)) bad("entry " num(part[2] * 256 + part[3]) " is not the leaf that stands in its tile")
  }
  part[1] == "T" {
    above = num(part[2] + 1) ":" num(int(part[3] / 256)) ":" (part[3] % 256)
    if (!(above in tile)) bad("the tile above tile " part[2] " " part[3] " is missing")
    else if (tile[above] != substr($2, 1, 64)) bad("tile " part[2] " " part[3] " does not add up to what stands above it")
  }
  END {
    if (checked + 0 != entries + 0) bad("not every entry could be checked")
    if (computed == "missing") bad("tiles at the right edge of the ledger are missing")
    else if (computed != root) bad("the tiles add up to another root than the one that was signed")
    if (!wrong) print "OK " num(entries) " entries lead to the signed root"
  }
')"
proves 'each record is in the ledger at its index, and nobody can have changed, added, removed or moved it since it was signed.'
cannot 'what stands in records of other sessions: of them a bundle has only hashes.'

# ---------------------------------------------------------------------------------------------------------------------
step '6. Does each session'"'"'s own proof hold?'

# What the records say, one fact a line. Ids and numbers are looked at before they are printed.
facts=$({ say "$records"; } | awk "$FUNCTIONS"'
  function fact(words) { print words }
  FILENAME == "data/ledger/records.ndjson" { text[++n] = $0; next }
  NF == 2 {
    k++
    index_ = $1
    if (!flat(text[k])) { print "FAULT record " index_ " is not JSON"; next }
    type = V[".type"]
    session = V[".session"]
    if (session == "") next
    if (!isid(session)) { print "FAULT record " index_ " names a session that is no id"; next }
    fact("record " session " " index_)
    channel = V[".body.channel"]
    if (type == "session.open") fact("open " session)
    else if (type == "session.close") fact("close " session)
    else if (type == "session.recovered") fact("recovered " session)
    else if (type == "erased") fact("erased " session)
    else if ((type == "channel.open" || type == "channel.close" || type == "segment.sealed") && !iscount(channel)) print "FAULT record " index_ " names no channel"
    else if (type == "channel.open") fact("chopen " session " " channel)
    else if (type == "channel.close") {
      if (!iscount(V[".body.segments"])) print "FAULT record " index_ " has no number of segments"
      else fact("chclose " session " " channel " " V[".body.segments"])
    } else if (type == "segment.sealed") {
      lines = V[".body.text.lines"]; hash = V[".body.text.sha256"]
      if (hash == "") { lines = "-"; hash = "-" }
      good = iscount(V[".body.segment"]) && ishash(V[".body.sha256"]) && iscount(V[".body.from"]) && iscount(V[".body.to"])
      good = good && (hash == "-" || (ishash(hash) && iscount(lines)))
      where = ""
      for (s = 1; s <= 3; s++) {
        stream = substr("ioe", s, 1)
        good = good && iscount(V[".body.streams." stream ".offset"]) && iscount(V[".body.streams." stream ".bytes"])
        where = where " " V[".body.streams." stream ".offset"] " " V[".body.streams." stream ".bytes"]
      }
      if (!good) { print "FAULT record " index_ " is not a seal"; next }
      fact("seal " session " " channel " " V[".body.segment"] " " lines " " hash " " V[".body.sha256"] " " V[".body.from"] " " V[".body.to"] where)
      for (a = 0; (".body.attachments." a ".file") in V; a++) {
        file = V[".body.attachments." a ".file"]
        sub(/^.*\//, "", file)
        if (file !~ /^[0-9]+\.[ioe]\.bin\.zst$/ || !ishash(V[".body.attachments." a ".sha256"])) { print "FAULT record " index_ " names an attachment that is none"; continue }
        fact("attached " session " " channel " " file " " V[".body.attachments." a ".sha256"])
      }
    }
  }
  END { print "END" }
' data/ledger/records.ndjson -)
case $facts in *END) facts=${facts%END} ;; *) facts='FAULT the records cannot be read' ;; esac
case $facts in *FAULT*) report "$(say "$facts" | awk '$1 == "FAULT"')"; finish ;; esac

# The state of each proof, one a line: the session, then in one word `INDEX,LAST,HASHES…`, and the hash so far.
proof_files=$(awk 'substr($0, 67, 19) == "data/ledger/proofs/" { print substr($0, 67) }' manifest-sha256.txt)
state=$({
  say "$facts"
  say "$tiles"
  say "$records"
  say "$proof_files" | while read -r file; do
    [ -n "$file" ] || continue
    say "proof $file"
    while IFS= read -r line || [ -n "$line" ]; do say "line $line"; done < "$file"
  done
} | awk -v size="$size" "$FUNCTIONS"'
  function bad(words) { print "FAULT " words }
  function done_with() {
    if (session == "") return
    if (problem == "" && phase != 2) problem = "is incomplete"
    if (problem == "" && copied != noted) problem = "carries another checkpoint"
    if (problem == "" && (session in last) && last[session] != at) problem = "is not about the last record of the session in this bundle"
    place = num(int(at / 256)) ":" (at % 256)
    if (problem == "" && !(place in leaf)) problem = "is about an entry that is not in this bundle"
    if (problem != "") bad("the proof of session " session " " problem)
    else print session ";" at ";" num(size - 1) ";" hashes_, leaf[place]
    proved[session] = 1
    session = ""
  }
  FILENAME == "data/ledger/checkpoint" { note[++noted] = $0; next }
  $1 == "record" && NF == 3 { last[$2] = $3; next }
  $1 == "T" && $2 == "0" { leaf[$3 ":" $4] = $5; next }
  $1 == "proof" {
    done_with()
    session = substr($2, 20)
    sub(/\.tlog-proof$/, "", session)
    if (!isid(session)) { bad("a proof has a name that is no session"); session = ""; next }
    phase = 0; row = 0; problem = ""; hashes_ = ""; copied = 0
    next
  }
  $1 == "line" && session != "" {
    text = substr($0, 6)
    row++
    if (phase == 2) { if (text != note[++copied]) problem = "carries another checkpoint"; next }
    if (row == 1) { if (text != "c2sp.org/tlog-proof@v1") problem = "is not a tlog-proof"; next }
    if (row == 2) {
      at = substr(text, 7)
      if (substr(text, 1, 6) != "index " || !iscount(at) || at + 0 >= size + 0) problem = "names no index"
      next
    }
    if (text == "") { phase = 2; next }
    hash = b64hex(text)
    if (!ishash(hash)) problem = "has a line that is no hash"
    hashes_ = hashes_ "," hash
  }
  END {
    done_with()
    for (session in last) if (!(session in proved)) bad("there is no proof of session " session)
    print "END"
  }
' data/ledger/checkpoint -)
case $state in *END) state=${state%END} ;; *) state='FAULT the proofs cannot be read' ;; esac
proof_faults=$(say "$state" | awk '$1 == "FAULT"')
state=$(say "$state" | awk 'NF == 2 && $1 != "FAULT"')
# RFC 9162, 2.1.3.2: one hash of each proof in each round, until none is left.
rounds=0
while [ "$rounds" -lt 64 ]; do
  case $state in *,*) ;; *) break ;; esac
  state=$(say "$state" | awk "$FUNCTIONS"'
    {
      split($1, part, ";")
      node = part[2]; last = part[3]; rest = part[4]; hash = substr($2, 1, 64)
      if (rest == "") { print $1, "=" hash; next }
      sibling = substr(rest, 2, 64)
      rest = substr(rest, 66)
      if (last == 0) { print part[1] ";x;x;", "=" hash; next }
      if (node % 2 == 1 || node == last) {
        message = "\\0001" octal(sibling) octal(hash)
        while (node % 2 == 0 && node != 0) { node = int(node / 2); last = int(last / 2) }
      } else message = "\\0001" octal(hash) octal(sibling)
      print part[1] ";" num(int(node / 2)) ";" num(int(last / 2)) ";" rest, message
    }
  ' | hashes)
  rounds=$((rounds + 1))
done
report "$({ say "$proof_faults"; say "$state"; } | awk -v root="$root" '
  $1 == "FAULT" { print; wrong = 1; next }
  NF >= 2 {
    split($1, part, ";")
    if (part[3] != "0" || part[4] != "" || substr($2, 1, 64) != root) { print "FAULT the proof of session " part[1] " does not lead to the signed root"; wrong = 1 }
    else n++
  }
  END { if (!wrong) print "OK " n + 0 " sessions have a proof of their own, in a standard form (C2SP tlog-proof), that holds" }
')"
proves 'each session is in the ledger up to the last of its records here; these small files show it without the rest of the bundle.'

# ---------------------------------------------------------------------------------------------------------------------
step '7. Are the recordings those that were sealed?'

# One line a cast: session, channel, and how many lines of it belong to each of its segments.
plans=$(say "$facts" | awk "$FUNCTIONS"'
  function bad(words) { if (wrong++ < 20) print "FAULT " words }
  FILENAME == "manifest-sha256.txt" { name = substr($0, 67); if (name ~ /^data\/recordings\/.*\.cast$/) cast[name] = 1; next }
  FILENAME == "data/recordings/parts.txt" {
    if (NF != 5 || !isid($1) || !iscount($2) || !iscount($3) || !iscount($4) || ($5 != "sealed" && $5 != "undigested" && $5 != "missing")) { bad("line " FNR " of parts.txt is none"); next }
    id = $1 " " $2
    if ($3 + 0 != parts[id] + 1) bad("parts.txt does not name the segments of channel " $2 " of session " $1 " in order")
    parts[id]++
    plan[id] = plan[id] (plan[id] == "" ? "" : ",") $4
    next
  }
  $1 == "seal" { sealed[$2 " " $3] = 1 }
  END {
    for (id in sealed) if (!(id in plan)) { split(id, part, " "); bad("the recording of channel " part[2] " of session " part[1] " is not in this bundle") }
    for (id in plan) { split(id, part, " "); file = "data/recordings/" part[1] "-" part[2] ".cast"; if (!(file in cast)) bad(file " is missing"); else delete cast[file] }
    for (file in cast) bad(file " is a recording that nothing in the ledger tells of")
    if (wrong) exit
    for (id in plan) print id, plan[id]
    print "END"
  }
' manifest-sha256.txt data/recordings/parts.txt -)
case $plans in
  *END) plans=${plans%END} ;;
  *) report "$plans"; finish ;;
esac
# Lines `text SESSION CHANNEL SEGMENT SHA-256` of the cast's lines, and `more SESSION CHANNEL` when it has more or fewer.
texts=$(say "$plans" | while read -r session channel plan; do
  [ -n "$session" ] || continue
  awk -v plan="$plan" -v id="$session $channel" '
    function begin() { while (part < parts && (part == 0 || left == 0)) { part++; left = want[part]; if (left == 0) { printf "" | "sha256sum"; close("sha256sum") } } }
    BEGIN { parts = split(plan, want, ","); part = 0; left = 0; begin() }
    left == 0 { more = 1; next }
    { print | "sha256sum"; left--; if (left == 0) { close("sha256sum"); begin() } }
    END { if (left > 0) close("sha256sum"); print "end " id " " (more || left > 0 || part < parts) }
  ' "data/recordings/$session-$channel.cast" | awk -v id="$session $channel" '
    $1 == "end" { if ($4 != 0) print "more", id; next }
    { print "text", id, ++n, substr($1, 1, 64) }
  '
done)
report "$({ say "$facts"; say "$texts"; } | awk "$FUNCTIONS"'
  function bad(words) { print "FAULT " words; wrong = 1 }
  function place(id,    part) { split(id, part, " "); return "segment " part[3] " of channel " part[2] " of session " part[1] }
  FILENAME == "manifest-sha256.txt" { file[substr($0, 67)] = substr($0, 1, 64); next }
  FILENAME == "data/recordings/parts.txt" { kind[$1 " " $2 " " $3] = $5; lines[$1 " " $2 " " $3] = $4; next }
  $1 == "seal" { id = $2 " " $3 " " $4; want_lines[id] = $5; want[id] = $6; stored[id] = $7; next }
  $1 == "attached" { attached[$2 "-" $3 "." $4] = $5; next }
  $1 == "text" { found[$2 " " $3 " " $4] = $5; next }
  $1 == "more" { bad("the recording of channel " $3 " of session " $2 " has another number of lines") }
  END {
    for (id in want) {
      split(id, part, " ")
      if (kind[id] == "missing" || !(id in kind)) { bad(place(id) " was sealed and is not in this bundle: its file was damaged or gone when the bundle was written"); continue }
      if (want[id] == "-") {
        name = sprintf("data/recordings/%s-%s.%04d.cast.zst", part[1], part[2], part[3])
        if (file[name] != stored[id]) bad(place(id) " is not as it was sealed")
        else { older++; good++ }
      } else if (kind[id] != "sealed" || lines[id] != want_lines[id] || found[id] != want[id]) bad(place(id) " was altered: its text is not the one that was sealed")
      else good++
    }
    for (id in kind) if (!(id in want)) bad(place(id) " has no seal")
    for (name in attached) if (file["data/recordings/" name] != attached[name]) bad("the attachment " name " is missing or altered")
    if (older > 0) print "NOTE of " older " segments, sealed by a version before 0.2, the stored file was checked; that its text is the one in the cast shows: zstd -dc"
    if (!wrong) print "OK " good + 0 " segments are, to the byte, what the ledger says was recorded"
  }
' manifest-sha256.txt data/recordings/parts.txt -)"
proves 'what is replayed is what the gateway wrote down before it passed it on.'
cannot 'that the gateway wrote down the truth: it is trusted with that.'

# ---------------------------------------------------------------------------------------------------------------------
step '8. Is any session, or any part of one, left out silently?'

report "$(say "$facts" | awk "$FUNCTIONS"'
  function bad(words) { print "FAULT " words; wrong = 1 }
  FILENAME == "data/query.json" { if (!flat($0)) bad("query.json is not JSON"); split("", Q); for (k in V) Q[k] = V[k]; next }
  $1 == "record" { seen[$2] = 1; next }
  $1 == "open" { opened[$2]++; next }
  $1 == "close" { closed[$2] = 1; next }
  $1 == "recovered" { recovered[$2] = 1; next }
  $1 == "erased" { erased[$2] = 1; next }
  $1 == "chopen" { chopen[$2 " " $3] = 1; next }
  $1 == "chclose" { chclose[$2 " " $3] = $4; next }
  $1 == "seal" {
    id = $2 " " $3
    if (!((id, $4) in from)) count[id]++
    if ($4 + 0 > most[id] + 0) most[id] = $4
    from[id, $4] = $8; to[id, $4] = $9
    for (s = 0; s < 3; s++) { offset[id, $4, s] = $(10 + 2 * s); bytes[id, $4, s] = $(11 + 2 * s) }
  }
  END {
    for (session in seen) {
      if (session in erased) { gone++; continue }
      sessions++
      if (opened[session] != 1) bad("session " session " has no beginning in this bundle, or two")
      if (!(session in closed) && !(session in recovered)) { running++; live[session] = 1 }
    }
    for (id in most) {
      split(id, part, " ")
      where = "the recording of channel " part[2] " of session " part[1]
      if (!(id in chopen) && !(part[1] in erased)) bad(where " belongs to a channel that was never opened")
      if (count[id] != most[id]) { bad(where " has a gap: " num(most[id] - count[id]) " of its segments were never sealed"); continue }
      for (k = 2; k <= most[id]; k++) {
        if (from[id, k] + 0 != to[id, k - 1] + 0) bad(where " has a gap in time before segment " k)
        for (s = 0; s < 3; s++) if (offset[id, k, s] + 0 != offset[id, k - 1, s] + bytes[id, k - 1, s]) bad(where " has a gap in its bytes before segment " k)
      }
    }
    for (id in chopen) {
      split(id, part, " ")
      if (part[1] in erased) continue
      if (id in chclose) { if (chclose[id] + 0 != count[id] + 0) bad("channel " part[2] " of session " part[1] " was closed with " chclose[id] " segments, and " num(count[id]) " are on record") }
      else if (!(part[1] in live) && !(part[1] in recovered)) bad("channel " part[2] " of session " part[1] " was never closed")
    }
    if (running > 0) print "NOTE " running " sessions were still running when the bundle was written: what follows is not in it"
    if (gone > 0) print "NOTE " gone " sessions were erased: what is left of them are hashes, and the record of the erasure"
    if (!wrong) print "OK " sessions + 0 " sessions begin and end, and their recordings have no gap"
  }
' data/query.json -)"
report "$({ say "$records"; } | awk -v size="$size" "$FUNCTIONS"'
  function bad(words) { print "FAULT " words; wrong = 1 }
  FILENAME == "data/query.json" { if (!flat($0)) bad("query.json is not JSON"); next }
  NF >= 2 {
    if ($1 + 0 < V[".completeness.first"] + 0 || $1 + 0 > V[".completeness.last"] + 0) outside++
    if ($3 == "erased") gone++
    else kept++
  }
  END {
    first = V[".completeness.first"]; last = V[".completeness.last"]; range = V[".completeness.range"]
    if (range !~ /^[0-9]+$/ || first !~ /^-?[0-9]+$/ || last !~ /^-?[0-9]+$/) { bad("query.json has no completeness statement"); exit }
    if (range + 0 != last - first + 1 || (range > 0 && last + 0 >= size + 0)) bad("the range in query.json is not one of this ledger")
    if (outside > 0) bad(outside " records are outside the range that query.json names")
    if (V[".completeness.included"] + 0 != kept + 0) bad("query.json speaks of another number of records than there are")
    if (V[".completeness.elsewhere"] + 0 != range - kept - gone) bad("the numbers in query.json do not add up")
    if (V[".checkpoint.size"] + 0 != size + 0) bad("query.json names another checkpoint")
    for (n = 0; (".completeness.leftOut." n ".session") in V; n++) ;
    if (n > 0) print "NOTE " n " sessions that answer the question are left out or erased: query.json and population.csv name them and the reason"
    if (!wrong) print "OK of the " range " entries with index " first " to " last ", " num(kept + gone) " are here, and " num(range - kept - gone) " belong to other sessions"
  }
' data/query.json -)"
proves 'within each session nothing is missing, and every index in the range is accounted for.'
cannot 'that the entries of other sessions do not answer the question too: that is the gateway'"'"'s statement, signed in step 2.'

# ---------------------------------------------------------------------------------------------------------------------
step '9. Does events.ndjson tell the same as the ledger?'

report "$(say "$records" | awk "$FUNCTIONS"'
  FILENAME == "data/ledger/records.ndjson" { text[++n] = $0; next }
  FILENAME == "data/events.ndjson" { event[++m] = $0; next }
  NF == 2 {
    k++
    begins = "{\"index\":" $1 ",\"hash\":\"" $2 "\",\"record\":" text[k] ",\"ocsf\":{"
    if (substr(event[k], 1, length(begins)) != begins) { if (wrong++ < 20) print "FAULT line " k " of events.ndjson is not record " $1 }
  }
  END {
    if (m != n) { print "FAULT events.ndjson has " num(m) " lines for " num(n) " records"; wrong = 1 }
    if (!wrong) print "OK every event is a record of the ledger; the fields under \"ocsf\" repeat it in the words of that schema"
  }
' data/ledger/records.ndjson data/events.ndjson -)"

# ---------------------------------------------------------------------------------------------------------------------
if [ -n "$checkpoint_file" ]; then
  step '10. Does the checkpoint that you hold belong to the same ledger?'
  if [ ! -f "$checkpoint_file" ]; then stop 'the file given with --checkpoint cannot be read'; fi
  held=$({ printf '%s\n' "$origin"; } | awk "$FUNCTIONS"'
    NR == FNR { if (FNR <= 3) text[FNR] = $0; next }
    {
      root = b64hex(text[3])
      if (!iscount(text[2]) || !ishash(root)) print "FAULT the file given with --checkpoint is not a checkpoint"
      else if (text[1] != $0) print "FAULT the checkpoint that you hold is that of another ledger"
      else print "HELD", text[2], root
    }
  ' "$checkpoint_file" -)
  case $held in
    'HELD '*)
      set -- $held
      if [ "$2" -eq "$size" ]; then
        if [ "$3" = "$root" ]; then
          say '   ok     it is the same head of the same ledger'
        else
          fault 'two different heads of the same size were signed: the ledger was rewritten'
        fi
      elif [ "$2" -gt "$size" ]; then
        say "   note   It is newer: $2 entries, and this bundle stands on $size. Have its owner prove that the one grew out of the"
        say '          other: sallyport verify --checkpoint data/ledger/checkpoint, on the data of the gateway.'
      else
        older=$(edge_root "$2")
        if [ "$older" = missing ]; then
          say "   note   It is older: $2 entries. This bundle has not enough of the ledger to compare the two."
          say '          Have its owner prove it: sallyport verify --checkpoint FILE, on the data of the gateway.'
        elif [ "$older" = "$3" ]; then
          say "   ok     the first $2 entries of this bundle's ledger are those that your checkpoint stands for"
        else
          fault 'the ledger of this bundle does not begin with the entries that your checkpoint stands for: it was rewritten'
        fi
      fi
      ;;
    *) report "$held" ;;
  esac
  proves 'whether history was changed between your checkpoint and this bundle.'
fi

finish
