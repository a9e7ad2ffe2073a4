#!/bin/sh
# Finds the interpreters that pyfix can use: Python 3.11 to 3.13 with venv and pip.
#
#   pythons.sh best     the one to install with; as root, one that other users can run too where there is such
#   pythons.sh each     one for each minor version that the machine has
#   pythons.sh others   the same without the version of the best
set -eu

candidates() {
  for version in 3.11 3.12 3.13; do
    old_ifs=$IFS; IFS=:
    for folder in $PATH; do
      case $folder in */shims) continue ;; esac
      [ -x "$folder/python$version" ] && echo "$folder/python$version"
    done
    IFS=$old_ifs
    for root in "${PYENV_ROOT:-$HOME/.pyenv}"; do
      for program in "$root"/versions/"$version".*/bin/python"$version"; do
        [ -x "$program" ] && echo "$program"
      done
    done
  done
  command -v python3 || true
}

# Prints the version of an interpreter that can be used, and fails for any other.
version_of() {
  "$1" -c 'import sys, venv, ensurepip
assert (3, 11) <= sys.version_info < (3, 14)
print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# Tells whether users other than root can run it: each folder on the way may be walked by everyone.
for_everyone() {
  path=$(readlink -f "$1")
  while [ "$path" != / ]; do
    case $(stat -c %A "$path") in *[xt]) ;; *) return 1 ;; esac
    path=$(dirname "$path")
  done
}

best() {
  first=
  for program in $(candidates); do
    version_of "$program" >/dev/null || continue
    [ -n "$first" ] || first=$program
    if [ "$(id -u)" != 0 ] || for_everyone "$program"; then echo "$program"; return; fi
  done
  [ -n "$first" ] || { echo "pyfix needs Python 3.11, 3.12 or 3.13 with venv and pip (Debian: apt-get install python3-venv)" >&2; exit 1; }
  echo "$first"
}

case ${1:-} in
  best)
    best ;;
  each | others)
    seen=
    [ "$1" = each ] || seen=$(version_of "$(best)")
    for program in $(candidates); do
      version=$(version_of "$program") || continue
      case " $seen " in *" $version "*) continue ;; esac
      seen="$seen $version"; echo "$program"
    done ;;
  *) echo "usage: pythons.sh best|each|others" >&2; exit 2 ;;
esac
