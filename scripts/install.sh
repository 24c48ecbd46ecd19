#!/bin/sh
# Installs the executable of Pillion, or removes it:
#
#   sh install.sh --from PLACE [--to FOLDER]     PLACE: a folder, or the URL of one, with the files of a release
#   sh install.sh --uninstall [--to FOLDER]
#
# FOLDER is ~/.local/bin. Only FOLDER/pillion is written, and only once its checksum is right and it has run.
set -eu

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install: %s\n' "$1" >&2
  [ $# -eq 1 ] || printf '%s\n' "$2" >&2
  exit 1
}

from='' to=${HOME:+$HOME/.local/bin} uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
    --from | --to)
      [ $# -ge 2 ] || fail "$1 needs a value"
      if [ "$1" = --from ]; then from=${2%/}; else to=${2%/}; fi
      shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    *) fail "unknown argument: $1" 'sh install.sh --from PLACE [--to FOLDER], or --uninstall [--to FOLDER]' ;;
  esac
done
[ -n "$to" ] || fail 'HOME is not set: which folder is it to be?' 'sh install.sh --to FOLDER …'
target=$to/pillion
[ ! -d "$target" ] || fail "$target is a folder" 'Name another one for the executable: --to FOLDER'

if [ -n "$uninstall" ]; then
  [ -e "$target" ] || fail "there is no $target"
  rm -f "$target"
  say "removed $target"
  say "What runs have kept stays: ${XDG_STATE_HOME:-${HOME:-}/.local/state}/pillion"
  exit 0
fi
[ -n "$from" ] || fail 'where are the files of the release? --from PLACE' 'PLACE is a folder or a URL with SHA256SUMS and the executables.'

case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=darwin ;;
  *) fail "there is no executable for $(uname -s)" 'In WSL it is the one for Linux.' ;;
esac
case $(uname -m) in
  x86_64 | amd64) machine=x64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) fail "there is no executable for $(uname -m)" 'With Node 22.22 or newer: npm install --global pillion' ;;
esac
if [ "$system" = linux ] && [ -e /lib/ld-musl-"$(uname -m)".so.1 ] && ! [ -e /etc/ld.so.cache ]; then
  fail 'the executable needs glibc, and this system has musl (Alpine)' 'With Node 22.22 or newer: npm install --global pillion'
fi

mkdir -p "$to" 2>/dev/null && [ -w "$to" ] || fail "$to cannot be written" 'Name another folder of your PATH: --to FOLDER'
to=$(CDPATH='' cd -- "$to" && pwd) target=$to/pillion # as PATH has it
# beside the target, so that it takes its place in one step
work=$(mktemp -d "$to/.pillion-XXXXXX") || fail "$to cannot be written" 'Name another folder of your PATH: --to FOLDER'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# get NAME: into the working folder
get() {
  case $from in
    http://* | https://*)
      if command -v curl >/dev/null; then curl -fsSL --retry 2 -o "$work/$1" "$from/$1"
      elif command -v wget >/dev/null; then wget -q -O "$work/$1" "$from/$1"
      else fail 'neither curl nor wget is there to download with'; fi ;;
    *) cp "$from/$1" "$work/$1" ;;
  esac || fail "$from/$1 cannot be had" 'Behind a proxy, set https_proxy. Nothing was changed.'
}

get SHA256SUMS
file=$(sed -n "s/^[0-9a-f]\{64\} [ *]\(pillion-.*-$system-$machine\.gz\)\$/\1/p" "$work/SHA256SUMS" | tail -n 1)
[ -n "$file" ] || fail "$from has no executable for $system-$machine" 'Nothing was changed.'
say "from $from/$file"
get "$file"

if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$work/$file")
elif command -v shasum >/dev/null; then sum=$(shasum -a 256 <"$work/$file")
else fail 'neither sha256sum nor shasum is there to check the file with' 'Nothing was changed.'; fi
grep -q "^${sum%% *} [ *]$file\$" "$work/SHA256SUMS" ||
  fail "$file is not what SHA256SUMS says: half a download, or another file" 'Nothing was changed. Try again.'

gzip -dc "$work/$file" >"$work/pillion" || fail "$file cannot be unpacked" 'Nothing was changed: is the disk full?'
chmod 755 "$work/pillion"
version=$("$work/pillion" --version 2>&1) || fail "it does not start here: $version" \
  'Debian, Ubuntu: apt-get install libatomic1. Fedora: dnf install libatomic. Nothing was changed.'
mv -f "$work/pillion" "$target"
first=$(command -v pillion || :)
say "installed $target"
say "$version" | head -n 2
# under Rosetta the machine calls itself x86_64
if [ "$system-$machine" = darwin-x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
  say 'This shell runs under Rosetta: for the faster executable of this Mac, arch -arm64 sh install.sh …'
fi
# PATH may have another spelling of the folder
if ! [ "$first" -ef "$target" ]; then
  case ":$PATH:" in
    *":$to:"* | *":$to/:"*) ;;
    *) say "$to is not in your PATH: export PATH=\"$to:\$PATH\"" ;;
  esac
  [ -z "$first" ] || say "another one is found first: $first"
fi
say "Undo it: sh install.sh --uninstall --to '$(printf '%s' "$to" | sed "s/'/'\\\\''/g")'"
